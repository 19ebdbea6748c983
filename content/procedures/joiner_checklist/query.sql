WITH joiner AS (
  SELECT e.id AS id, e.label AS label, e.entry AS entry, e.grade AS grade, e.started_at AS started_at, e.ended_at AS ended_at,
         e.started_at + $days * CAST(86400000 AS BIGINT) AS due_at
    FROM employment e
   WHERE e.in_scope = 1 AND e.started_at >= $from AND e.started_at < $to AND e.started_at <= $cutoff
),
listed AS (
  -- The worst of a checklist's tasks: 2 in time, 1 nobody can say, 0 late or open.
  SELECT j.id AS id, min(t.grade) AS grade,
         min(CASE WHEN t.state IS NULL OR t.state <> 'open' AND t.done_at IS NULL THEN 1
                  WHEN t.state <> 'open' AND t.done_at <= j.due_at AND t.done_at <= $cutoff THEN 2
                  ELSE 0 END) AS worth
    FROM joiner j
    JOIN checklist_task t ON t.employment = j.id AND t.phase = 'joining'
   GROUP BY j.id
)
SELECT j.id AS item,
       j.label AS label,
       j.started_at AS occurred_at,
       j.entry AS entry,
       CASE WHEN l.grade < j.grade THEN l.grade ELSE j.grade END AS grade,
       CASE WHEN l.worth = 2 THEN 'pass'
            WHEN j.ended_at <= j.due_at THEN 'not_applicable'
            WHEN j.ended_at IS NULL THEN 'no_evidence'
            WHEN j.due_at > $cutoff THEN 'not_yet_due'
            WHEN l.worth = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN j.due_at > $cutoff THEN j.started_at ELSE j.due_at END AS a_until
  FROM joiner j
  LEFT JOIN listed l ON l.id = j.id
