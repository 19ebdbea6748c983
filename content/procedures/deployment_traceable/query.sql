WITH source AS (
  -- The builds that may have produced a deployment: by digest; by commit only where no digest is known.
  -- 2 by the pipeline in time, 1 unknown, 0 not.
  SELECT d.id AS deployment, b.id AS build, b.revision AS revision, b.grade AS grade,
         CASE WHEN b.conclusion = 'failure' OR b.conclusion = 'cancelled' OR b.builder = 'workstation'
                   OR b.finished_at > d.deployed_at THEN 0
              WHEN b.conclusion = 'success' AND b.builder = 'pipeline' AND b.finished_at <= d.deployed_at THEN 2
              ELSE 1 END AS worth
    FROM deployment d
    JOIN build b ON b.artifact = d.artifact
  UNION ALL
  SELECT d.id AS deployment, b.id AS build, b.revision AS revision, b.grade AS grade,
         CASE WHEN b.conclusion = 'failure' OR b.conclusion = 'cancelled' OR b.builder = 'workstation'
                   OR b.finished_at > d.deployed_at THEN 0
              WHEN b.conclusion = 'success' AND b.builder = 'pipeline' AND b.finished_at <= d.deployed_at THEN 2
              ELSE 1 END AS worth
    FROM deployment d
    JOIN build b ON b.revision = d.revision
   WHERE d.artifact IS NULL
),
built AS (
  SELECT s.deployment AS deployment, min(s.grade) AS grade, max(s.worth) AS worth FROM source s GROUP BY s.deployment
),
commit_named AS (
  SELECT s.deployment AS deployment, s.revision AS revision FROM source s
  UNION
  SELECT d.id AS deployment, d.revision AS revision FROM deployment d WHERE d.revision IS NOT NULL
),
landed AS (
  -- 2 it had landed, 1 nothing says which commit it was, 0 it had not.
  SELECT n.deployment AS deployment,
         max(CASE WHEN n.revision IS NULL THEN 1 WHEN c.merged_at <= d.deployed_at THEN 2 ELSE 0 END) AS worth
    FROM commit_named n
    JOIN deployment d ON d.id = n.deployment
    LEFT JOIN change c ON c.revision = n.revision
   GROUP BY n.deployment
)
SELECT d.id AS item,
       d.label AS label,
       d.deployed_at AS occurred_at,
       d.entry AS entry,
       CASE WHEN b.grade < d.grade THEN b.grade ELSE d.grade END AS grade,
       CASE WHEN d.production IS NULL OR (d.artifact IS NULL AND d.revision IS NULL) THEN 'no_evidence'
            WHEN b.worth = 2 THEN 'pass'
            WHEN b.worth = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN d.production IS NULL OR (d.artifact IS NULL AND d.revision IS NULL) THEN 'no_evidence'
            WHEN l.worth = 2 THEN 'pass'
            WHEN l.worth = 1 OR l.deployment IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b
  FROM deployment d
  LEFT JOIN built b ON b.deployment = d.id
  LEFT JOIN landed l ON l.deployment = d.id
 WHERE d.deployed_at >= $from AND d.deployed_at < $to AND d.in_scope = 1 AND (d.production = 1 OR d.production IS NULL)
