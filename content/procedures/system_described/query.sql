WITH spell AS (
  -- When each was in use, as far as anybody says.
  SELECT s.id AS id, s.label AS label, s.entry AS entry, s.grade AS grade, s.valid_from AS starts_at, s.valid_to AS ends_at,
         CASE WHEN s.valid_to IS NULL THEN 1 ELSE 0 END AS unsure
    FROM system_history s
   WHERE NOT EXISTS (SELECT 1 FROM system_history o WHERE o.id = s.id AND o.in_scope = 0)
  UNION ALL
  SELECT v.id AS id, v.label AS label, v.entry AS entry, v.grade AS grade, v.first_used_at AS starts_at,
         CASE WHEN v.ended = 0 THEN 253402300799999 WHEN v.ended = 1 THEN v.ended_at END AS ends_at,
         CASE WHEN v.first_used_at IS NULL OR v.ended IS NULL OR v.ended = 1 AND v.ended_at IS NULL THEN 1 ELSE 0 END AS unsure
    FROM vendor v
   WHERE v.in_scope = 1
),
used AS (
  -- The last time of its use that touches the period: what came before it, and was given up, is as if it went on.
  SELECT s.id AS id, min(s.label) AS label, min(s.entry) AS entry, min(s.grade) AS grade, max(s.unsure) AS unsure,
         -- In use for certain at the end: since when an earlier time of it was over matters no more.
         max(CASE WHEN s.unsure = 0 AND s.ends_at > $as_of THEN 1 ELSE 0 END) AS sure,
         max(COALESCE(s.starts_at, 0)) AS starts_at, max(COALESCE(s.ends_at, 253402300799999)) AS ends_at,
         max(CASE WHEN s.ends_at IS NULL THEN 1 ELSE 0 END) AS endless
    FROM spell s
   WHERE COALESCE(s.starts_at, 0) <= $as_of AND COALESCE(s.ends_at, 253402300799999) > $from
   GROUP BY s.id
),
judged AS (
  SELECT u.id AS id, u.label AS label, u.entry AS entry, u.grade AS grade, CASE WHEN u.sure = 1 THEN 0 ELSE u.unsure END AS unsure,
         CASE WHEN u.sure = 1 THEN 0 ELSE u.endless END AS endless, u.starts_at AS starts_at, u.ends_at AS ends_at,
         CASE WHEN u.ends_at <= $as_of THEN u.ends_at - 1 ELSE $as_of END AS last_at,
         u.ends_at + CAST($days AS BIGINT) * 86400000 AS gone_by
    FROM used u
),
named AS (
  -- Whether the description named it in its last instant: 2 it did, 1 it may have; and whether it did so for too long after.
  SELECT j.id AS id, min(CASE WHEN p.valid_from <= j.last_at AND p.valid_to > j.last_at THEN p.grade END) AS grade,
         max(CASE WHEN p.valid_from > j.last_at OR p.valid_to <= j.last_at THEN 0 WHEN p.valid_to IS NULL THEN 1 ELSE 2 END) AS at_last,
         max(CASE WHEN p.valid_to <= j.gone_by + 1 OR p.valid_from > $cutoff THEN 0 WHEN p.valid_to IS NULL AND p.valid_from <= j.gone_by THEN 1 ELSE 2 END) AS after
    FROM judged j
    JOIN description_part_history p ON p.subject = j.id
   GROUP BY j.id
)
SELECT j.id AS item,
       j.label AS label,
       $from AS occurred_at,
       j.entry AS entry,
       CASE WHEN n.grade < j.grade THEN n.grade ELSE j.grade END AS grade,
       CASE WHEN j.unsure = 1 THEN 'no_evidence'
            WHEN n.at_last = 2 THEN 'pass'
            WHEN n.at_last = 1 THEN 'no_evidence'
            WHEN j.starts_at >= j.last_at - CAST($days AS BIGINT) * 86400000 THEN 'not_yet_due'
            ELSE 'deviation' END AS a,
       CASE WHEN j.endless = 1 THEN 'no_evidence'
            WHEN j.ends_at > $as_of THEN 'not_applicable'
            WHEN j.unsure = 1 THEN 'no_evidence'
            WHEN n.after = 2 AND j.gone_by < $cutoff THEN 'deviation'
            WHEN n.after > 0 THEN CASE WHEN j.gone_by >= $cutoff THEN 'not_yet_due' ELSE 'no_evidence' END
            ELSE 'pass' END AS b,
       $from AS a_since,
       $from AS b_since,
       $as_of AS a_until,
       CASE WHEN j.gone_by > $as_of AND j.gone_by <= $cutoff THEN j.gone_by ELSE $as_of END AS b_until
  FROM judged j
  LEFT JOIN named n ON n.id = j.id
