WITH held AS (
  -- Each holding on which decisions rest, or may, and the instant at which it is judged: the last of the period in which it was one; NULL where nobody knows.
  SELECT d.id AS id, d.asset AS asset, d.decisions AS decisions, d.valid_from AS valid_from, d.entry AS entry, d.grade AS grade,
         CASE WHEN d.valid_to IS NULL THEN NULL
              WHEN d.valid_to <= $as_of THEN d.valid_to - 1
              ELSE $as_of END AS judged_at
    FROM data_holding_history d
   WHERE d.in_scope = 1
     AND (d.decisions = 1 OR d.decisions IS NULL)
     AND d.valid_from <= $as_of AND COALESCE(d.valid_to, 253402300799999) > $from AND COALESCE(d.valid_to, 253402300799999) > d.valid_from
),
look AS (
  -- Each look, by a person (2), by nobody knows whom (1), by a machine (0); and what became of what was wrong:
  -- 4 nothing was, or it was put right in time, 3 it is not due yet, 1 nobody can say, 0 it was not.
  SELECT k.id AS id, k.asset AS asset, k.done_at AS done_at, k.grade AS grade, k.done_at + CAST($correct_days AS BIGINT) * 86400000 AS due_at,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' AND k.done_at IS NOT NULL THEN 2 ELSE 1 END) AS person,
         min(CASE WHEN k.wrong = 0 THEN 4
                  WHEN k.corrected >= k.wrong AND k.corrected_at >= k.done_at AND k.corrected_at <= $cutoff
                       AND k.corrected_at <= k.done_at + CAST($correct_days AS BIGINT) * 86400000 THEN 4
                  WHEN k.done_at + CAST($correct_days AS BIGINT) * 86400000 > $cutoff THEN 3
                  WHEN k.wrong IS NULL OR k.done_at IS NULL THEN 1
                  WHEN k.corrected < k.wrong OR k.corrected_at > k.done_at + CAST($correct_days AS BIGINT) * 86400000 THEN 0
                  ELSE 1 END) AS worth
    FROM quality_check k
    LEFT JOIN account_history h ON h.id = k.done_by AND h.valid_from <= k.done_at AND h.valid_to > k.done_at
   WHERE k.done_at <= $cutoff OR k.done_at IS NULL
   GROUP BY k.id, k.asset, k.done_at, k.grade
),
looked AS (
  SELECT h.id AS id, h.valid_from AS valid_from, min(l.grade) AS grade,
         max(CASE WHEN l.done_at > h.judged_at OR l.done_at < h.judged_at - CAST($check_days AS BIGINT) * 86400000 THEN 0 ELSE l.person END) AS person,
         min(CASE WHEN l.done_at < $from OR l.done_at >= $to THEN NULL ELSE l.worth END) AS worth,
         max(CASE WHEN l.worth = 0 AND l.done_at >= $from AND l.done_at < $to THEN l.due_at END) AS left_at
    FROM held h
    JOIN look l ON l.asset = h.asset
   GROUP BY h.id, h.valid_from
),
said AS (
  SELECT h.id AS id, h.asset AS asset, h.entry AS entry,
         CASE WHEN l.grade < h.grade THEN l.grade ELSE h.grade END AS grade,
         CASE WHEN h.judged_at IS NULL THEN 1
              WHEN l.person = 2 THEN 5
              WHEN h.valid_from > h.judged_at - CAST($check_days AS BIGINT) * 86400000 THEN 4
              WHEN h.decisions IS NULL THEN 1
              WHEN l.person = 1 THEN 2
              ELSE 0 END AS a,
         -- What was found in it counts, also where nobody knows until when it was one of them.
         CASE WHEN l.worth = 4 THEN 5 WHEN l.worth = 3 THEN 4 WHEN l.worth = 1 OR (l.worth = 0 AND h.decisions IS NULL) THEN 1 WHEN l.worth = 0 THEN 0 ELSE 6 END AS b,
         h.judged_at AS judged_at, l.left_at AS left_at
    FROM held h
    LEFT JOIN looked l ON l.id = h.id AND l.valid_from = h.valid_from
)
SELECT s.id AS item,
       COALESCE(min(d.label), 'a store of personal data') AS label,
       $from AS occurred_at,
       min(s.entry) AS entry,
       min(s.grade) AS grade,
       CASE min(s.a) WHEN 5 THEN 'pass' WHEN 4 THEN 'not_yet_due' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE min(s.b) WHEN 6 THEN 'not_applicable' WHEN 5 THEN 'pass' WHEN 4 THEN 'not_yet_due' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS b,
       min(COALESCE(s.judged_at, $from)) - CAST($check_days AS BIGINT) * 86400000 AS a_since,
       $from AS b_since,
       $from AS a_until,
       COALESCE(max(CASE WHEN s.left_at > $from AND s.left_at <= $cutoff THEN s.left_at END), $from) AS b_until
  FROM said s
  LEFT JOIN data_asset d ON d.id = s.asset
 GROUP BY s.id
