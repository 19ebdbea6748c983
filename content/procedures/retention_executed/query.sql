WITH life AS (
  -- The part of the period in which each rule held, all its versions together.
  SELECT h.id AS id, min(h.valid_from) AS began_at,
         CASE WHEN min(h.valid_from) > $from THEN min(h.valid_from) ELSE $from END AS starts_at,
         CASE WHEN count(*) > count(h.valid_to) THEN 1 ELSE 0 END AS endless,
         CASE WHEN count(*) = count(h.valid_to) AND max(h.valid_to) < $to AND max(h.valid_to) <= $cutoff THEN max(h.valid_to)
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM retention_rule_history h
   WHERE h.valid_from < $to AND h.valid_from <= $cutoff
   GROUP BY h.id
  HAVING min(h.in_scope) = 1 AND (count(*) > count(h.valid_to) OR max(h.valid_to) > $from)
),
span AS (
  -- For how long each run is good, and how long a new rule has until its first.
  SELECT l.id AS rule, l.began_at AS starts_at, l.began_at + CAST($gap_days AS BIGINT) * 86400000 + 1 AS ends_at
    FROM life l
  UNION
  SELECT n.rule AS rule, n.ran_at AS starts_at, n.ran_at + CAST($gap_days AS BIGINT) * 86400000 + 1 AS ends_at
    FROM retention_run n
   WHERE n.ran_at <= $cutoff
),
cut AS (
  SELECT l.id AS rule,
         CASE WHEN s.starts_at < l.starts_at THEN l.starts_at ELSE s.starts_at END AS starts_at,
         CASE WHEN s.ends_at > l.ends_at THEN l.ends_at ELSE s.ends_at END AS ends_at
    FROM span s
    JOIN life l ON l.id = s.rule
   WHERE s.starts_at < l.ends_at AND s.ends_at > l.starts_at
),
held AS (
  SELECT c.rule AS rule, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.rule ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
kept AS (
  SELECT h.rule AS rule,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS kept_ms
    FROM held h
   GROUP BY h.rule
),
ran AS (
  SELECT n.id AS id, n.rule AS rule, n.ran_at AS ran_at, n.held AS held, n.grade AS grade,
         n.ran_at + CAST($clear_days AS BIGINT) * 86400000 AS clear_at,
         n.due - n.deleted - n.held AS left_over
    FROM retention_run n
   WHERE n.ran_at <= $cutoff
),
cleared AS (
  -- Whether another run cleared what one left lying, in time: 2 it did, 1 nobody can say.
  SELECT n.id AS id, max(CASE WHEN m.left_over = 0 THEN 2 WHEN m.left_over > 0 THEN 0 ELSE 1 END) AS worth
    FROM ran n
    JOIN ran m ON m.rule = n.rule AND m.ran_at > n.ran_at AND m.ran_at <= n.clear_at
   GROUP BY n.id
),
hold AS (
  -- Whether a named person held something back at each run, for a reason: 3 so it is, 2 a person has to say, 0 not.
  SELECT n.id AS id, min(h.grade) AS grade,
         max(CASE WHEN h.starts_at > n.ran_at OR h.ends_at <= n.ran_at OR k.kind = 'bot' OR k.kind = 'service' THEN 0
                  WHEN k.kind = 'human' AND h.reason IS NOT NULL AND h.starts_at <= n.ran_at AND h.ends_at > n.ran_at THEN 3
                  ELSE 2 END) AS worth
    FROM ran n
    JOIN retention_hold h ON h.rule = n.rule
    LEFT JOIN account_history k ON k.id = h.held_by AND k.valid_from <= n.ran_at AND k.valid_to > n.ran_at
   GROUP BY n.id
),
worth AS (
  SELECT n.rule AS rule, n.clear_at AS clear_at, CASE WHEN h.grade < n.grade THEN h.grade ELSE n.grade END AS grade,
         -- 3 nothing was left in the end, 2 it is not due yet, 1 nobody can say, 0 something was.
         CASE WHEN n.left_over = 0 OR c.worth = 2 THEN 3
              WHEN n.left_over IS NULL OR n.left_over < 0 OR c.worth = 1 THEN 1
              WHEN n.clear_at > $cutoff THEN 2
              ELSE 0 END AS emptied,
         -- 3 held back by a named person, 2 a person has to say, 1 nobody can, 0 nobody did; NULL where nothing was.
         CASE WHEN n.held = 0 THEN NULL WHEN h.worth = 3 THEN 3 WHEN n.held IS NULL THEN 1 ELSE COALESCE(h.worth, 0) END AS allowed
    FROM ran n
    JOIN life l ON l.id = n.rule AND n.ran_at >= l.starts_at AND n.ran_at < l.ends_at
    LEFT JOIN cleared c ON c.id = n.id
    LEFT JOIN hold h ON h.id = n.id
),
judged AS (
  SELECT w.rule AS rule, min(w.grade) AS grade, min(w.emptied) AS emptied, min(w.allowed) AS allowed,
         max(CASE WHEN w.emptied = 0 THEN w.clear_at END) AS lying_at
    FROM worth w
   GROUP BY w.rule
),
named AS (
  SELECT h.id AS id, min(h.label) AS label, min(h.entry) AS entry, min(h.grade) AS grade FROM retention_rule_history h GROUP BY h.id
)
SELECT l.id AS item,
       n.label AS label,
       $from AS occurred_at,
       n.entry AS entry,
       CASE WHEN j.grade < n.grade THEN j.grade ELSE n.grade END AS grade,
       CASE WHEN k.kept_ms = l.ends_at - l.starts_at THEN 'pass'
            WHEN l.endless = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE j.emptied WHEN 3 THEN 'pass' WHEN 2 THEN 'not_yet_due' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation' ELSE 'not_applicable' END AS b,
       CASE j.allowed WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation' ELSE 'not_applicable' END AS c,
       l.starts_at - CAST($gap_days AS BIGINT) * 86400000 AS a_since,
       $from AS b_since,
       -- What is held back may be held back since long before.
       CASE WHEN j.allowed IS NULL THEN $from ELSE $from - CAST(365 AS BIGINT) * 86400000 END AS c_since,
       $from AS a_until,
       CASE WHEN j.lying_at > $from THEN j.lying_at ELSE $from END AS b_until,
       $from AS c_until
  FROM life l
  JOIN named n ON n.id = l.id
  LEFT JOIN kept k ON k.rule = l.id
  LEFT JOIN judged j ON j.rule = l.id
