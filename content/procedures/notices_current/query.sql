WITH version AS (
  -- Each version with the part of the period in which it was published; what ends nobody knows when may last.
  SELECT v.id AS id, v.notice AS notice, v.label AS label, v.new_terms AS new_terms, v.told_at AS told_at, v.counts_from AS counts_from,
         v.valid_from AS valid_from, v.entry AS entry, v.grade AS grade,
         CASE WHEN v.valid_from < $from THEN $from ELSE v.valid_from END AS needed_from,
         CASE WHEN COALESCE(v.valid_to, 253402300799999) <= $as_of THEN v.valid_to ELSE $as_of + 1 END AS needed_to,
         CASE WHEN v.valid_to IS NULL THEN 1 ELSE 0 END AS unsure
    FROM privacy_notice_history v
   WHERE v.in_scope = 1 AND v.valid_from <= $as_of AND COALESCE(v.valid_to, 253402300799999) > $from
     AND COALESCE(v.valid_to, 253402300799999) > v.valid_from
),
look AS (
  -- When the notice was looked through: its versions' approvals, and reviews, by a person (2), or by nobody knows whom (1).
  SELECT v.notice AS notice, v.approved_at AS looked_at, v.grade AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN v.approved_at IS NULL OR p.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  ELSE 2 END) AS worth
    FROM privacy_notice_history v
    LEFT JOIN account_history h ON h.id = v.approved_by AND h.valid_from <= v.approved_at AND h.valid_to > v.approved_at
    LEFT JOIN account_person p ON p.account = v.approved_by AND p.valid_from <= v.approved_at AND p.valid_to > v.approved_at
   WHERE v.approved_by IS NOT NULL OR v.approved_at IS NOT NULL
   GROUP BY v.id, v.valid_from, v.notice, v.approved_at, v.grade
  UNION ALL
  SELECT r.notice AS notice, r.reviewed_at AS looked_at, r.grade AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN r.reviewed_at IS NULL OR p.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  ELSE 2 END) AS worth
    FROM privacy_notice_review r
    LEFT JOIN account_history h ON h.id = r.reviewed_by AND h.valid_from <= r.reviewed_at AND h.valid_to > r.reviewed_at
    LEFT JOIN account_person p ON p.account = r.reviewed_by AND p.valid_from <= r.reviewed_at AND p.valid_to > r.reviewed_at
   GROUP BY r.id, r.notice, r.reviewed_at, r.grade
),
fresh AS (
  -- The time for which a look counts: for certain (2), and as far as it may (1).
  SELECT v.id AS id, v.valid_from AS valid_from, k.worth AS level,
         CASE WHEN COALESCE(l.looked_at, 0) < v.needed_from THEN v.needed_from ELSE l.looked_at END AS starts_at,
         CASE WHEN COALESCE(l.looked_at + $days * CAST(86400000 AS BIGINT) + 1, 253402300799999) > v.needed_to THEN v.needed_to
              ELSE l.looked_at + $days * CAST(86400000 AS BIGINT) + 1 END AS ends_at
    FROM version v
    JOIN look l ON l.notice = v.notice AND (l.looked_at < v.needed_to AND l.looked_at + $days * CAST(86400000 AS BIGINT) >= v.needed_from
                                           OR l.looked_at IS NULL)
    JOIN (SELECT 1 AS worth UNION ALL SELECT 2 AS worth) k ON k.worth <= l.worth
),
spent AS (
  SELECT f.id AS id, f.valid_from AS valid_from,
         CAST(sum(CASE WHEN f.level = 2 THEN f.ms ELSE 0 END) AS BIGINT) AS sure_ms,
         CAST(sum(CASE WHEN f.level = 1 THEN f.ms ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT r.id AS id, r.valid_from AS valid_from, r.level AS level,
                 CASE WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                      WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END AS ms
            FROM (SELECT s.id AS id, s.valid_from AS valid_from, s.level AS level, s.starts_at AS starts_at, s.ends_at AS ends_at,
                         max(s.ends_at) OVER (PARTITION BY s.id, s.valid_from, s.level ORDER BY s.starts_at ASC NULLS FIRST, s.ends_at ASC NULLS FIRST
                                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
                    FROM fresh s) r) f
   GROUP BY f.id, f.valid_from
),
graded AS (
  SELECT l.notice AS notice, min(l.grade) AS grade FROM look l WHERE l.notice IS NOT NULL GROUP BY l.notice
),
said AS (
  SELECT v.id AS id, v.label AS label, v.entry AS entry, v.counts_from AS counts_from,
         CASE WHEN g.grade < v.grade THEN g.grade ELSE v.grade END AS grade,
         -- 5 it concerns nothing, 4 it is not due yet, 3 pass, 1 nobody can say, 0 deviation.
         CASE WHEN v.unsure = 1 OR v.counts_from IS NULL THEN 1
              WHEN v.counts_from < $from OR v.new_terms = 0 THEN 5
              WHEN v.told_at <= v.counts_from - $ahead_days * CAST(86400000 AS BIGINT) AND v.told_at <= $cutoff THEN 3
              WHEN v.counts_from - $ahead_days * CAST(86400000 AS BIGINT) > $cutoff THEN 4
              WHEN v.new_terms IS NULL OR v.told_at IS NULL THEN 1
              ELSE 0 END AS a,
         CASE WHEN v.unsure = 1 THEN 1
              WHEN s.sure_ms = v.needed_to - v.needed_from THEN 3
              WHEN s.perhaps_ms = v.needed_to - v.needed_from THEN 2
              -- Reviews name the notice: those of which it is a version are not known.
              WHEN v.notice IS NULL THEN 1
              ELSE 0 END AS b
    FROM version v
    LEFT JOIN spent s ON s.id = v.id AND s.valid_from = v.valid_from
    LEFT JOIN graded g ON g.notice = v.notice
)
SELECT s.id AS item,
       min(s.label) AS label,
       $from AS occurred_at,
       min(s.entry) AS entry,
       min(s.grade) AS grade,
       CASE min(s.a) WHEN 5 THEN 'not_applicable' WHEN 4 THEN 'not_yet_due' WHEN 3 THEN 'pass' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE min(s.b) WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS b,
       $from AS a_since,
       $from - $days * CAST(86400000 AS BIGINT) AS b_since,
       max(CASE WHEN s.a = 0 AND s.counts_from > $from THEN s.counts_from ELSE $from END) AS a_until,
       $from AS b_until
  FROM said s
 GROUP BY s.id
