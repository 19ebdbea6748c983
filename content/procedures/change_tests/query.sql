WITH landed AS (
  -- The revisions that count for a change, each with the instant up to which a result counts.
  SELECT c.id AS change, c.revision AS revision, c.merged_at AS merged_at
    FROM change c
   WHERE c.merged_at >= $from AND c.merged_at < $to
  UNION
  SELECT c.id AS change, pr.head AS revision, COALESCE(pr.merged_at, c.merged_at) AS merged_at
    FROM change c
    JOIN change_pull_request cp ON cp.change = c.id
    JOIN pull_request pr ON pr.id = cp.pull_request
   WHERE pr.head IS NOT NULL AND c.merged_at >= $from AND c.merged_at < $to
),
run AS (
  -- Every result of those revisions; the last one of a name before the merge has place 1.
  SELECT l.change AS change, k.name AS name, k.conclusion AS conclusion, k.completed_at AS completed_at, k.grade AS grade,
         CASE WHEN k.completed_at > l.merged_at THEN 0
              WHEN k.completed_at <= l.merged_at THEN 2
              WHEN k.conclusion = 'pending' THEN 0
              ELSE 1 END AS in_time,
         row_number() OVER (PARTITION BY l.change, k.name,
                                         CASE WHEN k.completed_at > l.merged_at THEN 1 ELSE 0 END
                            ORDER BY k.completed_at DESC NULLS FIRST, k.id DESC NULLS LAST) AS place
    FROM landed l
    JOIN check_run k ON k.revision = l.revision
),
named AS (
  SELECT r.change AS change, min(r.grade) AS grade, max(CASE WHEN r.conclusion = 'success' THEN 1 ELSE 0 END) AS passed
    FROM run r
   GROUP BY r.change
  UNION ALL
  SELECT cp.change AS change, min(k.grade) AS grade, max(CASE WHEN k.conclusion = 'success' THEN 1 ELSE 0 END) AS passed
    FROM check_run k
    JOIN change_pull_request cp ON cp.pull_request = k.pull_request
   GROUP BY cp.change
),
mention AS (
  SELECT n.change AS change, min(n.grade) AS grade, max(n.passed) AS passed FROM named n GROUP BY n.change
),
final AS (
  -- The result of each name: 3 passed in time, 2 skipped or neutral in time, 1 its time is unknown, 0 anything else.
  SELECT r.change AS change, r.name AS name,
         max(CASE WHEN r.in_time = 2 AND r.conclusion = 'success' THEN 3
                  WHEN r.in_time = 2 AND (r.conclusion = 'skipped' OR r.conclusion = 'neutral') THEN 2
                  WHEN r.in_time = 1 THEN 1
                  ELSE 0 END) AS worth
    FROM run r
   WHERE r.place = 1
   GROUP BY r.change, r.name
),
demanded AS (
  -- What the rule in force at the merge demanded, and how each demand was met: 2 met, 1 unknown, 0 not met.
  SELECT c.id AS change,
         min(CASE WHEN f.worth = 3 THEN 2
                  WHEN q.conditional = 1 AND f.worth = 2 THEN 2
                  WHEN q.conditional IS NULL AND f.worth = 2 THEN 1
                  WHEN q.valid_to IS NULL OR f.worth = 1 THEN 1
                  ELSE 0 END) AS met
    FROM change c
    JOIN required_check_history q ON q.repository = c.repository AND q.valid_from <= c.merged_at
          AND (q.valid_to > c.merged_at OR q.valid_to IS NULL)
    LEFT JOIN final f ON f.change = c.id AND f.name = q.name
   WHERE c.merged_at >= $from AND c.merged_at < $to
   GROUP BY c.id
),
overall AS (
  -- Where no rule demands a test by name: at least one passed, and none that ran did not.
  SELECT f.change AS change, min(CASE WHEN f.worth = 2 THEN 3 ELSE f.worth END) AS worst, max(f.worth) AS best
    FROM final f
   GROUP BY f.change
),
stray AS (
  -- Results that name neither revision nor proposed change: what did not pass there may concern any change.
  SELECT count(*) AS failed
    FROM check_run k
   WHERE k.revision IS NULL AND k.pull_request IS NULL AND k.conclusion <> 'success'
),
by_trailer AS (
  -- Results that name the proposed change and no revision: they prove nothing, but what failed may concern this one.
  SELECT cp.change AS change, 1 AS asserted, max(CASE WHEN k.conclusion = 'success' THEN 0 ELSE 1 END) AS failed
    FROM check_run k
    JOIN change_pull_request cp ON cp.pull_request = k.pull_request
   WHERE k.revision IS NULL
   GROUP BY cp.change
)
SELECT c.id AS item,
       c.label AS label,
       c.merged_at AS occurred_at,
       c.entry AS entry,
       CASE WHEN m.grade < c.grade THEN m.grade ELSE c.grade END AS grade,
       CASE WHEN m.passed = 1 THEN 'pass' ELSE 'deviation' END AS a,
       CASE WHEN (t.failed = 1 OR y.failed > 0) AND (d.met = 2 OR (d.met IS NULL AND o.worst = 3)) THEN 'no_evidence'
            WHEN d.met = 2 THEN 'pass'
            WHEN d.met = 1 THEN 'no_evidence'
            WHEN d.met = 0 THEN 'deviation'
            WHEN o.worst = 3 AND o.best = 3 THEN 'pass'
            WHEN o.worst = 1 OR (o.worst = 3 AND o.best = 1) THEN 'no_evidence'
            WHEN o.change IS NULL AND t.asserted = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS b
  FROM change c
  CROSS JOIN stray y
  LEFT JOIN mention m ON m.change = c.id
  LEFT JOIN demanded d ON d.change = c.id
  LEFT JOIN overall o ON o.change = c.id
  LEFT JOIN by_trailer t ON t.change = c.id
 WHERE c.merged_at >= $from AND c.merged_at < $to AND c.in_scope = 1
