WITH life AS (
  -- The part of the period in which each endpoint answered.
  SELECT e.id AS id,
         CASE WHEN e.ended = 0 THEN 1 WHEN e.ended = 1 AND e.ended_at IS NOT NULL THEN 1 ELSE 0 END AS end_known,
         CASE WHEN e.created_at > $from THEN e.created_at ELSE $from END AS starts_at,
         CASE WHEN e.ended = 1 AND e.ended_at < $to AND e.ended_at <= $cutoff THEN e.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM endpoint e
   WHERE e.in_scope = 1
     AND (e.created_at IS NULL OR (e.created_at < $to AND e.created_at <= $cutoff))
     AND (e.ended = 0 OR e.ended IS NULL OR e.ended_at IS NULL OR e.ended_at > $from)
),
look AS (
  -- What a look showed, by attribute: 1 as it should be, 0 not, NULL nobody can say; and up to when it speaks.
  SELECT x.attribute AS attribute, l.endpoint AS endpoint, l.id AS id, l.scanned_at AS scanned_at, l.grade AS grade,
         CASE x.attribute
              WHEN 'a' THEN CASE WHEN l.lowest_protocol = 'tls1_3' OR l.lowest_protocol = 'none' THEN 1
                                 WHEN l.lowest_protocol = 'tls1_2' THEN $tls_1_2_counts
                                 WHEN l.lowest_protocol IS NOT NULL THEN 0 END
              ELSE CASE WHEN l.trusted = 0 OR l.not_after < l.scanned_at OR l.valid_from > l.scanned_at THEN 0
                        WHEN l.trusted = 1 AND l.not_after >= l.scanned_at AND l.valid_from <= l.scanned_at THEN 1 END
         END AS held,
         CASE WHEN x.attribute = 'b' AND l.not_after < l.scanned_at + CAST($look_days AS BIGINT) * 86400000 THEN l.not_after + 1
              ELSE l.scanned_at + CAST($look_days AS BIGINT) * 86400000 + 1 END AS speaks_to
    FROM endpoint_scan l
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute) x
   WHERE l.scanned_at <= $cutoff OR l.scanned_at IS NULL
),
cut AS (
  SELECT l.attribute AS attribute, f.id AS endpoint, l.id AS id,
         CASE WHEN l.scanned_at < f.starts_at THEN f.starts_at ELSE l.scanned_at END AS starts_at,
         CASE WHEN l.speaks_to > f.ends_at THEN f.ends_at ELSE l.speaks_to END AS ends_at
    FROM look l
    JOIN life f ON f.id = l.endpoint
   WHERE l.held = 1 AND l.scanned_at < f.ends_at AND l.speaks_to > f.starts_at
),
held AS (
  -- The time of which looks speak, each instant once.
  SELECT c.attribute AS attribute, c.endpoint AS endpoint, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.attribute, c.endpoint ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
proven AS (
  SELECT h.attribute AS attribute, h.endpoint AS endpoint,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.attribute, h.endpoint
),
judged AS (
  SELECT f.id AS endpoint, x.attribute AS attribute,
         CASE WHEN s.bad = 1 THEN 'deviation'
              WHEN p.ms = f.ends_at - f.starts_at AND f.end_known = 1 AND s.undated = 0 THEN 'pass'
              ELSE 'no_evidence' END AS verdict
    FROM life f
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute) x
    LEFT JOIN proven p ON p.endpoint = f.id AND p.attribute = x.attribute
    LEFT JOIN (SELECT l.endpoint AS endpoint, l.attribute AS attribute,
                      max(CASE WHEN l.held = 0 AND l.scanned_at >= n.starts_at AND l.scanned_at < n.ends_at THEN 1 ELSE 0 END) AS bad,
                      max(CASE WHEN l.scanned_at IS NULL THEN 1 ELSE 0 END) AS undated
                 FROM look l JOIN life n ON n.id = l.endpoint
                GROUP BY l.endpoint, l.attribute) s ON s.endpoint = f.id AND s.attribute = x.attribute
)
SELECT e.id AS item,
       e.label AS label,
       $from AS occurred_at,
       e.entry AS entry,
       CASE WHEN g.grade < e.grade THEN g.grade ELSE e.grade END AS grade,
       a.verdict AS a,
       b.verdict AS b
  FROM life f
  JOIN endpoint e ON e.id = f.id
  JOIN judged a ON a.endpoint = f.id AND a.attribute = 'a'
  JOIN judged b ON b.endpoint = f.id AND b.attribute = 'b'
  LEFT JOIN (SELECT l.endpoint AS endpoint, min(l.grade) AS grade FROM look l GROUP BY l.endpoint) g ON g.endpoint = f.id
