WITH used AS (
  -- The parts of the period in which each identity provider was in use, as long as they may be.
  SELECT s.id AS id, s.label AS label, s.entry AS entry, s.grade AS grade,
         CASE WHEN s.valid_to IS NULL THEN 0 ELSE 1 END AS end_known,
         CASE WHEN s.valid_from < $from THEN $from ELSE s.valid_from END AS starts_at,
         CASE WHEN s.valid_to < $to AND s.valid_to <= $cutoff THEN s.valid_to
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM system_history s
    JOIN (SELECT v.id AS id, min(v.in_scope) AS in_scope
            FROM system_history v
           WHERE v.valid_from < $to AND (v.valid_to > $from OR v.valid_to IS NULL)
           GROUP BY v.id) k ON k.id = s.id AND k.in_scope = 1
   WHERE s.identity_provider = 1
     AND s.valid_from < $to AND s.valid_from <= $cutoff AND (s.valid_to > $from OR s.valid_to IS NULL)
),
life AS (
  SELECT u.id AS id, min(u.label) AS label, min(u.entry) AS entry, min(u.grade) AS grade, min(u.end_known) AS end_known,
         CAST(sum(u.ends_at - u.starts_at) AS BIGINT) AS ms
    FROM used u
   GROUP BY u.id
),
version AS (
  -- Versions of its rules that touch that time, cut to it, by attribute: 1 as the policy asks, 0 not, NULL nobody can say.
  SELECT x.attribute AS attribute, u.id AS system, r.id AS id, r.grade AS grade,
         CASE x.attribute
              WHEN 'a' THEN CASE WHEN r.passwords = 0 OR r.min_length >= $min_length THEN 1
                                 WHEN r.passwords = 1 AND r.min_length < $min_length THEN 0 END
              WHEN 'b' THEN CASE WHEN r.passwords = 0 OR (r.tries > 0 AND r.tries <= $tries) THEN 1
                                 WHEN r.passwords = 1 AND r.tries IS NOT NULL THEN 0 END
              WHEN 'c' THEN CASE WHEN r.session_minutes > 0 AND r.session_minutes <= $session_minutes THEN 1
                                 WHEN r.session_minutes IS NOT NULL THEN 0 END
              ELSE CASE WHEN (r.idle_minutes > 0 AND r.idle_minutes <= $idle_minutes)
                             OR (r.session_minutes > 0 AND r.session_minutes <= $idle_minutes) THEN 1
                        WHEN r.idle_minutes IS NOT NULL AND r.session_minutes IS NOT NULL THEN 0 END
         END AS held,
         -- A version that began before, and whose end is unknown, may have ended before.
         CASE WHEN r.valid_to IS NULL AND r.valid_from < u.starts_at THEN 0 ELSE 1 END AS touches,
         CASE WHEN r.valid_from < u.starts_at THEN u.starts_at ELSE r.valid_from END AS starts_at,
         CASE WHEN r.valid_to > u.ends_at THEN u.ends_at ELSE r.valid_to END AS ends_at
    FROM used u
    JOIN sign_in_rule_history r ON r.system = u.id
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute UNION ALL SELECT 'c' AS attribute UNION ALL SELECT 'd' AS attribute) x
   WHERE r.valid_from < u.ends_at AND (r.valid_to > u.starts_at OR r.valid_to IS NULL)
),
held AS (
  -- The time that is proven, each instant once: a version counts from where the ones before it ended.
  SELECT v.attribute AS attribute, v.system AS system, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.attribute, v.system ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.held = 1 AND v.ends_at IS NOT NULL
),
proven AS (
  SELECT h.attribute AS attribute, h.system AS system,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.attribute, h.system
),
seen AS (
  -- Where several rules hold for one or another, the weakest counts: 2 as the policy asks, 1 nobody can say, 0 not.
  SELECT v.attribute AS attribute, v.system AS system, min(v.grade) AS grade,
         min(CASE WHEN v.held = 1 THEN 2 WHEN v.held = 0 AND v.touches = 1 THEN 0 ELSE 1 END) AS worth
    FROM version v
   GROUP BY v.attribute, v.system
),
judged AS (
  SELECT f.id AS id, x.attribute AS attribute, s.grade AS grade,
         CASE WHEN s.worth = 0 THEN 'deviation'
              WHEN s.worth = 2 AND p.ms = f.ms AND f.end_known = 1 THEN 'pass'
              ELSE 'no_evidence' END AS verdict
    FROM life f
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute UNION ALL SELECT 'c' AS attribute UNION ALL SELECT 'd' AS attribute) x
    LEFT JOIN seen s ON s.system = f.id AND s.attribute = x.attribute
    LEFT JOIN proven p ON p.system = f.id AND p.attribute = x.attribute
)
SELECT f.id AS item,
       f.label AS label,
       $from AS occurred_at,
       f.entry AS entry,
       CASE WHEN a.grade < f.grade THEN a.grade ELSE f.grade END AS grade,
       a.verdict AS a,
       b.verdict AS b,
       c.verdict AS c,
       d.verdict AS d
  FROM life f
  JOIN judged a ON a.id = f.id AND a.attribute = 'a'
  JOIN judged b ON b.id = f.id AND b.attribute = 'b'
  JOIN judged c ON c.id = f.id AND c.attribute = 'c'
  JOIN judged d ON d.id = f.id AND d.attribute = 'd'
