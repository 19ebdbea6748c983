WITH mention AS (
  SELECT r.change AS change, r.ticket AS ticket, r.grade AS grade FROM ticket_reference r WHERE r.change IS NOT NULL
  UNION ALL
  SELECT cp.change AS change, r.ticket AS ticket, r.grade AS grade
    FROM ticket_reference r
    JOIN change_pull_request cp ON cp.pull_request = r.pull_request
),
best AS (
  -- 3 it exists and precedes, 2 the two clocks are too close to tell, 1 its time is unknown, 0 it does not.
  SELECT m.change AS change, min(m.grade) AS grade,
         max(CASE WHEN t.id IS NULL THEN 0
                  WHEN t.created_at IS NULL THEN 1
                  WHEN t.created_at <= c.merged_at THEN 3
                  WHEN t.created_at <= c.merged_at + CAST($clock_difference_seconds AS BIGINT) * 1000 THEN 2
                  ELSE 0 END) AS worth
    FROM mention m
    JOIN change c ON c.id = m.change
    LEFT JOIN ticket t ON t.id = m.ticket
   GROUP BY m.change
)
SELECT c.id AS item,
       c.label AS label,
       c.merged_at AS occurred_at,
       c.entry AS entry,
       CASE WHEN b.grade < c.grade THEN b.grade ELSE c.grade END AS grade,
       CASE WHEN b.worth IS NULL THEN 'deviation' ELSE 'pass' END AS a,
       CASE b.worth WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS b
  FROM change c
  LEFT JOIN best b ON b.change = c.id
 WHERE c.merged_at >= $from AND c.merged_at < $to AND c.in_scope = 1
