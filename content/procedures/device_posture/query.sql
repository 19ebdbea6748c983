WITH used AS (
  -- When each device was in use in the period; each stretch once, whoever had it.
  SELECT d.id AS id, CASE WHEN d.valid_from < $from THEN $from ELSE d.valid_from END AS starts_at,
         CASE WHEN COALESCE(d.valid_to, 253402300799999) > $as_of THEN $as_of + 1 ELSE d.valid_to END AS ends_at,
         max(CASE WHEN d.valid_to IS NULL THEN 1 ELSE 0 END) AS unsure
    FROM device_history d
   WHERE d.valid_from <= $as_of AND COALESCE(d.valid_to, 253402300799999) > $from
     AND COALESCE(d.valid_to, 253402300799999) > d.valid_from
   GROUP BY d.id, CASE WHEN d.valid_from < $from THEN $from ELSE d.valid_from END,
            CASE WHEN COALESCE(d.valid_to, 253402300799999) > $as_of THEN $as_of + 1 ELSE d.valid_to END
),
report AS (
  SELECT s.device AS id, 'a' AS letter, s.encrypted AS good, s.valid_from AS valid_from, s.valid_to AS valid_to, s.grade AS grade FROM device_state_history s
  UNION ALL
  SELECT s.device AS id, 'b' AS letter, s.locks AS good, s.valid_from AS valid_from, s.valid_to AS valid_to, s.grade AS grade FROM device_state_history s
  UNION ALL
  SELECT s.device AS id, 'c' AS letter, s.protected AS good, s.valid_from AS valid_from, s.valid_to AS valid_to, s.grade AS grade FROM device_state_history s
  UNION ALL
  SELECT s.device AS id, 'd' AS letter, s.patched AS good, s.valid_from AS valid_from, s.valid_to AS valid_to, s.grade AS grade FROM device_state_history s
),
version AS (
  -- What was reported of each stretch. What ends nobody knows when proves its first instant.
  SELECT u.id AS id, u.starts_at AS needed_from, u.ends_at AS needed_to, r.letter AS letter, r.good AS good, r.grade AS grade,
         -- Found otherwise: 2 for certain, 1 nobody can say, 0 not.
         CASE WHEN r.good = 1 THEN 0
              WHEN r.good IS NULL OR u.unsure = 1 AND r.valid_from > u.starts_at OR r.valid_to IS NULL AND r.valid_from < u.starts_at THEN 1
              ELSE 2 END AS off,
         CASE WHEN r.valid_from < u.starts_at THEN u.starts_at ELSE r.valid_from END AS starts_at,
         CASE WHEN r.valid_to IS NULL AND r.valid_from < u.starts_at THEN u.starts_at
              WHEN r.valid_to IS NULL THEN r.valid_from + 1
              WHEN r.valid_to > u.ends_at THEN u.ends_at
              ELSE r.valid_to END AS ends_at
    FROM used u
    JOIN report r ON r.id = u.id AND r.valid_from < u.ends_at AND (r.valid_to > u.starts_at OR r.valid_to IS NULL)
),
proven AS (
  -- Each instant once.
  SELECT r.id AS id, r.letter AS letter,
         CAST(sum(CASE WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                       WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END) AS BIGINT) AS good_ms
    FROM (SELECT v.id AS id, v.letter AS letter, v.starts_at AS starts_at, v.ends_at AS ends_at,
                 max(v.ends_at) OVER (PARTITION BY v.id, v.letter, v.needed_from, v.needed_to
                                      ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
            FROM version v
           WHERE v.good = 1 AND v.starts_at < v.ends_at) r
   GROUP BY r.id, r.letter
),
found AS (
  SELECT v.id AS id, v.letter AS letter, max(v.off) AS off, min(v.grade) AS grade FROM version v GROUP BY v.id, v.letter
),
needed AS (
  SELECT u.id AS id, CAST(sum(u.ends_at - u.starts_at) AS BIGINT) AS ms, max(u.unsure) AS unsure FROM used u GROUP BY u.id
),
said AS (
  SELECT n.id AS id, l.letter AS letter, f.grade AS grade,
         CASE WHEN f.off = 2 THEN 0 WHEN f.off = 1 OR n.unsure = 1 THEN 1 WHEN p.good_ms = n.ms THEN 3 ELSE 1 END AS worth
    FROM needed n
    CROSS JOIN (SELECT 'a' AS letter UNION ALL SELECT 'b' AS letter UNION ALL SELECT 'c' AS letter UNION ALL SELECT 'd' AS letter) l
    LEFT JOIN found f ON f.id = n.id AND f.letter = l.letter
    LEFT JOIN proven p ON p.id = n.id AND p.letter = l.letter
),
word AS (
  SELECT s.id AS id, min(s.grade) AS grade, min(CASE s.letter WHEN 'a' THEN s.worth END) AS a, min(CASE s.letter WHEN 'b' THEN s.worth END) AS b,
         min(CASE s.letter WHEN 'c' THEN s.worth END) AS c, min(CASE s.letter WHEN 'd' THEN s.worth END) AS d
    FROM said s
   GROUP BY s.id
)
SELECT d.id AS item,
       min(d.label) AS label,
       $from AS occurred_at,
       min(d.entry) AS entry,
       CASE WHEN w.grade < min(d.grade) THEN w.grade ELSE min(d.grade) END AS grade,
       CASE w.a WHEN 3 THEN 'pass' WHEN 0 THEN 'deviation' ELSE 'no_evidence' END AS a,
       CASE w.b WHEN 3 THEN 'pass' WHEN 0 THEN 'deviation' ELSE 'no_evidence' END AS b,
       CASE w.c WHEN 3 THEN 'pass' WHEN 0 THEN 'deviation' ELSE 'no_evidence' END AS c,
       CASE w.d WHEN 3 THEN 'pass' WHEN 0 THEN 'deviation' ELSE 'no_evidence' END AS d
  FROM device_history d
  JOIN word w ON w.id = d.id
 GROUP BY d.id, w.a, w.b, w.c, w.d, w.grade
HAVING min(d.in_scope) = 1
