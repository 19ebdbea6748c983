WITH later AS (
  -- In the order of time: whether a stretch follows, and whether the very next one says with which number it begins.
  SELECT l.id AS id,
         lead(l.ended_at) OVER (PARTITION BY l.service ORDER BY l.ended_at ASC NULLS FIRST, l.id ASC NULLS FIRST) AS ended_at,
         lead(l.first_number) OVER (PARTITION BY l.service ORDER BY l.ended_at ASC NULLS FIRST, l.id ASC NULLS FIRST) AS first_number
    FROM inference_log l
),
next AS (
  -- In the order of their numbers: with which one the next stretch begins.
  SELECT l.id AS id,
         lead(l.first_number) OVER (PARTITION BY l.service ORDER BY l.first_number ASC NULLS FIRST, l.id ASC NULLS FIRST) AS first_number,
         lead(l.grade) OVER (PARTITION BY l.service ORDER BY l.first_number ASC NULLS FIRST, l.id ASC NULLS FIRST) AS grade
    FROM inference_log l
   WHERE l.first_number IS NOT NULL
)
SELECT l.id AS item,
       l.label AS label,
       l.ended_at AS occurred_at,
       l.entry AS entry,
       CASE WHEN n.grade < l.grade THEN n.grade ELSE l.grade END AS grade,
       CASE WHEN l.last_number - l.first_number + 1 = l.entries THEN 'pass'
            WHEN l.last_number - l.first_number + 1 <> l.entries THEN 'deviation'
            ELSE 'no_evidence' END AS a,
       CASE WHEN l.first_number IS NULL OR l.last_number IS NULL THEN 'no_evidence'
            WHEN n.first_number = l.last_number + 1 THEN 'pass'
            WHEN s.ended_at IS NOT NULL AND s.first_number IS NULL THEN 'no_evidence'
            WHEN s.ended_at IS NOT NULL THEN 'deviation'
            WHEN l.ended_at + CAST($gap_hours AS BIGINT) * 3600000 > $cutoff THEN 'not_yet_due'
            ELSE 'needs_judgement' END AS b,
       CASE WHEN l.unversioned = 0 THEN 'pass' WHEN l.unversioned > 0 THEN 'deviation' ELSE 'no_evidence' END AS c,
       l.ended_at AS a_until,
       CASE WHEN l.ended_at + CAST($gap_hours AS BIGINT) * 3600000 <= $cutoff THEN l.ended_at + CAST($gap_hours AS BIGINT) * 3600000 ELSE l.ended_at END AS b_until,
       l.ended_at AS c_until
  FROM inference_log l
  JOIN later s ON s.id = l.id
  LEFT JOIN next n ON n.id = l.id
 WHERE l.ended_at >= $from AND l.ended_at < $to AND l.in_scope = 1
