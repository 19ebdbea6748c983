WITH life AS (
  -- The part of the period in which each resource existed; what is new loses nothing that is older than it is.
  SELECT r.id AS id, r.created_at AS created_at,
         CASE WHEN r.deleted = 0 THEN 1 WHEN r.deleted = 1 AND r.deleted_at IS NOT NULL THEN 1 ELSE 0 END AS end_known,
         CASE WHEN r.created_at > $from THEN r.created_at ELSE $from END AS starts_at,
         CASE WHEN r.deleted = 1 AND r.deleted_at < $to AND r.deleted_at <= $cutoff THEN r.deleted_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at,
         CASE WHEN r.deleted = 1 AND r.deleted_at < $to AND r.deleted_at <= $cutoff THEN 1 ELSE 0 END AS gone
    FROM cloud_resource r
   WHERE r.in_scope = 1
     AND (r.needs_backup = 1 OR (r.needs_backup IS NULL AND r.kind IN ('bucket', 'volume', 'database', 'file_system', 'unknown')))
     AND (r.created_at IS NULL OR (r.created_at < $to AND r.created_at <= $cutoff))
     AND (r.deleted = 0 OR r.deleted IS NULL OR r.deleted_at IS NULL OR r.deleted_at > $from)
),
reach AS (
  -- How far a copy reaches from its newest data: any copy (a), and an isolated one (c).
  SELECT 'a' AS attribute, CAST($rpo_hours AS BIGINT) * 3600000 AS ms
  UNION ALL
  SELECT 'c' AS attribute, CAST($isolated_hours AS BIGINT) * 3600000 AS ms
),
due AS (
  -- From when on a copy has to be there.
  SELECT f.id AS id, e.attribute AS attribute, e.ms AS ms, f.ends_at AS ends_at, f.gone AS gone, f.end_known AS end_known,
         CASE WHEN f.created_at + e.ms + 1 > f.starts_at THEN f.created_at + e.ms + 1 ELSE f.starts_at END AS starts_at
    FROM life f
    CROSS JOIN reach e
),
copied AS (
  -- What may be a copy: 2 it is one, of data of a known instant, finished at a known one; 1 nobody can say.
  SELECT j.id AS id, j.resource AS resource, j.encrypted AS encrypted, j.isolated AS isolated, j.grade AS grade, j.newest_data_at AS newest_data_at,
         j.succeeded AS succeeded, COALESCE(j.finished_at, j.started_at) AS starts_at,
         CASE WHEN j.newest_data_at <= j.finished_at THEN j.newest_data_at
              -- Its data is no younger than the copy; when that was made, nobody knows.
              WHEN j.finished_at IS NOT NULL THEN j.finished_at
              ELSE j.newest_data_at END AS newest_by,
         CASE WHEN j.succeeded = 1 AND j.newest_data_at <= j.finished_at THEN 2 ELSE 1 END AS worth
    FROM backup_job j
   WHERE (j.succeeded = 1 OR j.succeeded IS NULL)
     AND (j.finished_at <= $cutoff OR (j.finished_at IS NULL AND j.started_at <= $cutoff))
),
span AS (
  -- The times for which a copy was young enough: for certain (1), and as far as it may (0).
  SELECT d.attribute AS attribute, 1 AS certain, c.resource AS resource, c.id AS id, c.starts_at AS starts_at, c.newest_data_at + d.ms + 1 AS ends_at
    FROM copied c
    JOIN due d ON d.id = c.resource
   WHERE c.worth = 2 AND (d.attribute = 'a' OR c.isolated = 1)
  UNION ALL
  SELECT d.attribute AS attribute, 0 AS certain, c.resource AS resource, c.id AS id, c.starts_at AS starts_at,
         COALESCE(c.newest_by + d.ms + 1, 253402300799999) AS ends_at
    FROM copied c
    JOIN due d ON d.id = c.resource
   WHERE d.attribute = 'a' OR c.isolated = 1 OR c.isolated IS NULL
  UNION ALL
  -- It may not have been there before its first copy, or any more, where nobody knows when it was made, or gone.
  SELECT e.attribute AS attribute, 0 AS certain, f.id AS resource, f.id AS id, 0 AS starts_at,
         CASE WHEN f.end_known = 0 THEN 253402300799999 ELSE COALESCE(n.starts_at, 253402300799999) END AS ends_at
    FROM life f
    CROSS JOIN reach e
    LEFT JOIN (SELECT c.resource AS resource, min(c.starts_at) AS starts_at FROM copied c GROUP BY c.resource) n ON n.resource = f.id
   WHERE f.created_at IS NULL OR f.end_known = 0
),
cut AS (
  SELECT s.attribute AS attribute, s.certain AS certain, s.resource AS resource, s.id AS id,
         CASE WHEN s.starts_at < d.starts_at THEN d.starts_at ELSE s.starts_at END AS starts_at,
         CASE WHEN s.ends_at > d.ends_at THEN d.ends_at ELSE s.ends_at END AS ends_at
    FROM span s
    JOIN due d ON d.id = s.resource AND d.attribute = s.attribute
   WHERE s.starts_at < d.ends_at AND s.ends_at > d.starts_at
),
held AS (
  -- Each instant once: a span counts from where the ones before it ended.
  SELECT c.attribute AS attribute, c.certain AS certain, c.resource AS resource, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.attribute, c.certain, c.resource ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
covered AS (
  SELECT h.resource AS resource, h.attribute AS attribute, h.certain AS certain,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.resource, h.attribute, h.certain
),
judged AS (
  SELECT d.id AS id, d.attribute AS attribute,
         CASE WHEN d.starts_at >= d.ends_at AND d.gone = 1 THEN 'not_applicable'
              WHEN d.starts_at >= d.ends_at THEN 'not_yet_due'
              WHEN c.ms = d.ends_at - d.starts_at AND d.end_known = 1 THEN 'pass'
              WHEN p.ms = d.ends_at - d.starts_at THEN 'no_evidence'
              ELSE 'deviation' END AS verdict
    FROM due d
    LEFT JOIN covered c ON c.resource = d.id AND c.attribute = d.attribute AND c.certain = 1
    LEFT JOIN covered p ON p.resource = d.id AND p.attribute = d.attribute AND p.certain = 0
),
kept AS (
  -- Copies that were made while it existed in the period, or so shortly before that they still counted.
  SELECT f.id AS id, min(c.grade) AS grade,
         min(CASE WHEN c.encrypted = 1 THEN 2 WHEN c.encrypted = 0 AND c.succeeded = 1 THEN 0 ELSE 1 END) AS encrypted
    FROM life f
    JOIN copied c ON c.resource = f.id
   WHERE c.starts_at < f.ends_at
     AND c.starts_at >= f.starts_at - CAST(CASE WHEN $rpo_hours > $isolated_hours THEN $rpo_hours ELSE $isolated_hours END AS BIGINT) * 3600000
   GROUP BY f.id
)
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       CASE WHEN k.grade < r.grade THEN k.grade ELSE r.grade END AS grade,
       CASE WHEN a.verdict = 'deviation' AND r.needs_backup IS NULL THEN 'needs_judgement' ELSE a.verdict END AS a,
       CASE WHEN k.encrypted = 2 AND f.end_known = 1 THEN 'pass'
            WHEN k.encrypted >= 1 THEN 'no_evidence'
            WHEN k.encrypted = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS b,
       CASE WHEN c.verdict = 'deviation' AND r.needs_backup IS NULL THEN 'needs_judgement' ELSE c.verdict END AS c,
       $from - CAST($rpo_hours AS BIGINT) * 3600000 AS a_since,
       $from - CAST(CASE WHEN $rpo_hours > $isolated_hours THEN $rpo_hours ELSE $isolated_hours END AS BIGINT) * 3600000 AS b_since,
       $from - CAST($isolated_hours AS BIGINT) * 3600000 AS c_since
  FROM life f
  JOIN cloud_resource r ON r.id = f.id
  JOIN judged a ON a.id = f.id AND a.attribute = 'a'
  JOIN judged c ON c.id = f.id AND c.attribute = 'c'
  LEFT JOIN kept k ON k.id = f.id
