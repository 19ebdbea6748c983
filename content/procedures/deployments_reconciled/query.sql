WITH named AS (
  -- The commits that a deployment may be of: by its own word, or by the build that its digest came from.
  SELECT d.id AS deployment, d.revision AS revision FROM deployment d WHERE d.revision IS NOT NULL
  UNION
  SELECT d.id AS deployment, b.revision AS revision
    FROM deployment d
    JOIN build b ON b.artifact = d.artifact
   WHERE b.revision IS NOT NULL
),
found AS (
  SELECT n.deployment AS deployment, max(CASE WHEN c.id IS NULL THEN 0 ELSE 1 END) AS known, min(c.grade) AS grade
    FROM named n
    LEFT JOIN change c ON c.revision = n.revision
   GROUP BY n.deployment
),
brought AS (
  -- What a deployment brought: a change, and with it whatever had landed before.
  SELECT c.repository AS repository, c.merged_at AS merged_at, d.deployed_at AS deployed_at, d.grade AS grade
    FROM named n
    JOIN deployment d ON d.id = n.deployment
    JOIN change c ON c.revision = n.revision
   WHERE d.production = 1 AND (d.status = 'success' OR d.status = 'inactive') AND d.deployed_at >= c.merged_at
     AND d.deployed_at <= $cutoff
),
vague AS (
  -- Deployments of which nobody can say what they brought, or whether they did.
  SELECT d.repository AS repository, d.deployed_at AS deployed_at
    FROM deployment d
    LEFT JOIN found f ON f.deployment = d.id
   WHERE (d.production = 1 OR d.production IS NULL) AND d.status <> 'failure'
     AND (d.production IS NULL OR d.status = 'pending' OR d.status = 'unknown' OR f.deployment IS NULL OR f.known = 0)
),
track AS (
  -- Each repository's changes and what was deployed of it, along one line of time.
  SELECT c.id AS change_id, c.repository AS repository, c.merged_at AS placed_at, CAST(NULL AS BIGINT) AS brought_at,
         CAST(NULL AS BIGINT) AS vague_at
    FROM change c
  UNION ALL
  SELECT CAST(NULL AS BIGINT) AS change_id, b.repository AS repository, b.merged_at AS placed_at, b.deployed_at AS brought_at,
         CAST(NULL AS BIGINT) AS vague_at
    FROM brought b
  UNION ALL
  SELECT CAST(NULL AS BIGINT) AS change_id, v.repository AS repository, v.deployed_at AS placed_at, CAST(NULL AS BIGINT) AS brought_at,
         v.deployed_at AS vague_at
    FROM vague v
   WHERE v.repository IS NOT NULL
),
next_one AS (
  SELECT t.change_id AS change_id,
         min(t.brought_at) OVER (PARTITION BY t.repository ORDER BY t.placed_at DESC NULLS LAST
                                 RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS brought_at,
         min(t.vague_at) OVER (PARTITION BY t.repository ORDER BY t.placed_at DESC NULLS LAST
                               RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS vague_at
    FROM track t
),
anywhere AS (
  -- The same of deployments that name no repository.
  SELECT c.id AS change_id, c.merged_at AS placed_at, CAST(NULL AS BIGINT) AS vague_at FROM change c
  UNION ALL
  SELECT CAST(NULL AS BIGINT) AS change_id, v.deployed_at AS placed_at, v.deployed_at AS vague_at
    FROM vague v
   WHERE v.repository IS NULL
),
next_anywhere AS (
  SELECT n.change_id AS change_id,
         min(n.vague_at) OVER (ORDER BY n.placed_at DESC NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS vague_at
    FROM anywhere n
),
shipped AS (
  -- Repositories of which something was ever deployed, with the weakest word on that.
  SELECT s.repository AS repository, min(s.grade) AS grade
    FROM (SELECT d.repository AS repository, d.grade AS grade
            FROM deployment d
           WHERE d.repository IS NOT NULL AND (d.production = 1 OR d.production IS NULL)
          UNION ALL
          SELECT b.repository AS repository, b.grade AS grade FROM brought b) s
   GROUP BY s.repository
)
SELECT d.id AS item,
       d.label AS label,
       d.deployed_at AS occurred_at,
       d.entry AS entry,
       CASE WHEN f.grade < d.grade THEN f.grade ELSE d.grade END AS grade,
       CASE WHEN d.production IS NULL OR f.deployment IS NULL THEN 'no_evidence'
            WHEN f.known = 1 THEN 'pass'
            ELSE 'deviation' END AS a,
       'not_applicable' AS b,
       d.deployed_at - $days * CAST(86400000 AS BIGINT) AS a_since,
       d.deployed_at AS b_since,
       d.deployed_at AS a_until,
       d.deployed_at AS b_until
  FROM deployment d
  LEFT JOIN found f ON f.deployment = d.id
 WHERE d.deployed_at >= $from AND d.deployed_at < $to AND d.in_scope = 1 AND (d.production = 1 OR d.production IS NULL)
UNION ALL
SELECT c.id AS item,
       c.label AS label,
       c.merged_at AS occurred_at,
       c.entry AS entry,
       CASE WHEN s.grade < c.grade THEN s.grade ELSE c.grade END AS grade,
       'not_applicable' AS a,
       CASE WHEN n.brought_at <= c.merged_at + $days * CAST(86400000 AS BIGINT) THEN 'pass'
            WHEN c.merged_at + $days * CAST(86400000 AS BIGINT) > $cutoff THEN 'not_yet_due'
            WHEN n.vague_at <= c.merged_at + $days * CAST(86400000 AS BIGINT)
                 OR w.vague_at <= c.merged_at + $days * CAST(86400000 AS BIGINT) THEN 'no_evidence'
            WHEN s.repository IS NULL THEN 'needs_judgement'
            ELSE 'deviation' END AS b,
       c.merged_at AS a_since,
       c.merged_at AS b_since,
       c.merged_at AS a_until,
       c.merged_at + $days * CAST(86400000 AS BIGINT) AS b_until
  FROM change c
  LEFT JOIN next_one n ON n.change_id = c.id
  LEFT JOIN next_anywhere w ON w.change_id = c.id
  LEFT JOIN shipped s ON s.repository = c.repository
 WHERE c.merged_at >= $from AND c.merged_at < $to AND c.in_scope = 1
