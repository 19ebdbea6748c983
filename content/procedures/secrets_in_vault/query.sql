WITH version AS (
  -- Versions of the search that touch the period, cut to it.
  SELECT r.id AS repository, v.id AS id, v.searched AS searched, v.grade AS grade,
         -- A version that began before, and whose end is unknown, may have ended before.
         CASE WHEN v.valid_to IS NULL AND v.valid_from < $from THEN 0 ELSE 1 END AS touches,
         CASE WHEN v.valid_from < $from THEN $from ELSE v.valid_from END AS starts_at,
         CASE WHEN v.valid_to > p.ends_at THEN p.ends_at ELSE v.valid_to END AS ends_at
    FROM repository r
    CROSS JOIN (SELECT CASE WHEN $cutoff < $to THEN $cutoff + 1 ELSE $to END AS ends_at) p
    JOIN leak_search_history v ON v.repository = r.id AND v.valid_from < p.ends_at AND (v.valid_to > $from OR v.valid_to IS NULL)
),
held AS (
  -- The time that is proven, each instant once.
  SELECT v.repository AS repository, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.repository ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.searched = 1 AND v.ends_at IS NOT NULL
),
proven AS (
  SELECT h.repository AS repository,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.repository
),
seen AS (
  SELECT v.repository AS repository, min(v.grade) AS grade, max(CASE WHEN v.searched = 0 AND v.touches = 1 THEN 1 ELSE 0 END) AS off
    FROM version v
   GROUP BY v.repository
)
SELECT s.id AS item,
       s.label AS label,
       $from AS occurred_at,
       s.entry AS entry,
       s.grade AS grade,
       CASE WHEN s.created_at IS NULL OR s.ended IS NULL OR (s.ended = 1 AND s.ended_at IS NULL) OR s.kept_in IS NULL THEN 'no_evidence'
            WHEN s.kept_in = 'vault' OR (s.kept_in = 'build_system' AND $build_system_counts = 1) THEN 'pass'
            ELSE 'deviation' END AS a,
       'not_applicable' AS b
  FROM secret s
 WHERE s.in_scope = 1
   AND (s.created_at IS NULL OR (s.created_at < $to AND s.created_at <= $cutoff))
   AND (s.ended = 0 OR s.ended IS NULL OR s.ended_at IS NULL OR s.ended_at > $from)
UNION ALL
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       CASE WHEN n.grade < r.grade THEN n.grade ELSE r.grade END AS grade,
       'not_applicable' AS a,
       CASE WHEN n.off = 1 THEN 'deviation'
            WHEN p.ms = CASE WHEN $cutoff < $to THEN $cutoff + 1 ELSE $to END - $from THEN 'pass'
            ELSE 'no_evidence' END AS b
  FROM repository r
  LEFT JOIN proven p ON p.repository = r.id
  LEFT JOIN seen n ON n.repository = r.id
 WHERE r.in_scope = 1
