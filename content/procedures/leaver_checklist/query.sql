WITH leaver AS (
  SELECT e.id AS id, e.label AS label, e.entry AS entry, e.grade AS grade, e.account AS account, e.ended_at AS ended_at,
         e.ended_at + $days * CAST(86400000 AS BIGINT) AS due_at
    FROM employment e
   WHERE e.in_scope = 1 AND e.ended_at >= $from AND e.ended_at < $to AND e.ended_at <= $cutoff
),
goes_on AS (
  -- Whether it goes on as another employment at once: 2 it does, 1 it may.
  SELECT l.id AS id, max(CASE WHEN n.started_at <= l.ended_at AND n.ended_at > l.ended_at THEN 2 ELSE 1 END) AS worth
    FROM leaver l
    JOIN employment n ON n.account = l.account AND n.id <> l.id
         AND (n.started_at <= l.ended_at OR n.started_at IS NULL) AND (n.ended_at > l.ended_at OR n.ended_at IS NULL)
   GROUP BY l.id
),
task AS (
  -- 2 in time, 1 nobody can say, 0 late or open.
  SELECT l.id AS id, t.asset AS asset, t.grade AS grade,
         CASE WHEN t.state IS NULL OR t.state <> 'open' AND t.done_at IS NULL THEN 1
              WHEN t.state <> 'open' AND t.done_at <= l.due_at AND t.done_at <= $cutoff THEN 2
              ELSE 0 END AS worth
    FROM leaver l
    JOIN checklist_task t ON t.employment = l.id AND t.phase = 'leaving'
),
listed AS (
  -- The worst of all tasks, and of those about things. One that may be about things is good for nothing, and bad for nothing sure.
  SELECT t.id AS id, min(t.grade) AS grade, min(t.worth) AS a, min(CASE WHEN t.asset = 1 THEN t.worth END) AS b,
         max(CASE WHEN t.asset IS NULL THEN 1 ELSE 0 END) AS perhaps, min(CASE WHEN t.asset IS NULL THEN t.worth END) AS perhaps_worth
    FROM task t
   GROUP BY t.id
)
SELECT l.id AS item,
       l.label AS label,
       l.ended_at AS occurred_at,
       l.entry AS entry,
       CASE WHEN k.grade < l.grade THEN k.grade ELSE l.grade END AS grade,
       CASE WHEN k.a = 2 THEN 'pass'
            WHEN g.worth = 2 THEN 'not_applicable'
            WHEN l.due_at > $cutoff THEN 'not_yet_due'
            WHEN g.worth = 1 OR k.a = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN k.b = 2 AND COALESCE(k.perhaps_worth, 2) = 2 THEN 'pass'
            WHEN g.worth = 2 THEN 'not_applicable'
            WHEN l.due_at > $cutoff THEN 'not_yet_due'
            WHEN g.worth = 1 OR k.b = 1 OR k.perhaps = 1 AND COALESCE(k.b, 2) = 2 THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN l.due_at > $cutoff THEN l.ended_at ELSE l.due_at END AS a_until,
       CASE WHEN l.due_at > $cutoff THEN l.ended_at ELSE l.due_at END AS b_until
  FROM leaver l
  LEFT JOIN goes_on g ON g.id = l.id
  LEFT JOIN listed k ON k.id = l.id
