WITH decision AS (
  -- By whom it was decided: 2 a named person, 1 nobody can say, 0 a machine.
  SELECT n.id AS id, n.incident AS incident, n.recipients AS recipients, n.needed AS needed, n.decided_at AS decided_at, n.due_at AS due_at,
         n.sent AS sent, n.sent_at AS sent_at, n.grade AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS worth
    FROM notification n
    LEFT JOIN account_history h ON h.id = n.decided_by AND h.valid_from <= n.decided_at AND h.valid_to > n.decided_at
   GROUP BY n.id, n.incident, n.recipients, n.needed, n.decided_at, n.due_at, n.sent, n.sent_at, n.grade
),
dated AS (
  SELECT i.id AS id, i.declared_at AS declared_at,
         i.declared_at + CAST($decide_hours AS BIGINT) * 3600000 AS decide_by,
         i.declared_at + CAST($notify_hours AS BIGINT) * 3600000 AS notify_by
    FROM incident i
),
decided AS (
  -- Of each of those who may have to hear of it: 3 decided in time, 1 nobody can say, 0 not.
  SELECT d.id AS id, r.recipients AS recipients,
         max(CASE WHEN n.worth = 2 AND n.needed IS NOT NULL AND n.decided_at >= d.declared_at AND n.decided_at <= d.decide_by AND n.decided_at <= $cutoff THEN 3
                  WHEN n.id IS NULL OR n.worth = 0 OR n.decided_at > d.decide_by OR n.decided_at > $cutoff THEN 0
                  ELSE 1 END) AS worth
    FROM dated d
    CROSS JOIN (SELECT 'customers' AS recipients UNION ALL SELECT 'authority' AS recipients UNION ALL SELECT 'persons' AS recipients) r
    LEFT JOIN decision n ON n.incident = d.id AND (n.recipients = r.recipients OR n.recipients = 'all')
   GROUP BY d.id, r.recipients
),
whole AS (
  SELECT c.id AS id, min(c.worth) AS worth
    FROM decided c
   GROUP BY c.id
),
told AS (
  -- Of those who must hear of it: 3 in time, 2 has hours to go, 1 nobody can say, 0 not in time; NULL where nobody must.
  SELECT x.id AS id, min(x.worth) AS worth, max(CASE WHEN x.worth = 0 THEN x.due_at END) AS due_at
    FROM (SELECT d.id AS id,
                 CASE WHEN n.due_at < d.notify_by THEN n.due_at ELSE d.notify_by END AS due_at,
                 CASE WHEN n.needed = 0 OR (n.decided_at > $cutoff AND n.needed IS NOT NULL) THEN NULL
                      WHEN n.needed IS NULL THEN 1
                      WHEN n.sent = 1 AND n.sent_at >= d.declared_at AND n.sent_at <= $cutoff AND n.due_at IS NOT NULL
                           AND n.sent_at <= CASE WHEN n.due_at < d.notify_by THEN n.due_at ELSE d.notify_by END THEN 3
                      WHEN CASE WHEN n.due_at < d.notify_by THEN n.due_at ELSE d.notify_by END > $cutoff THEN 2
                      WHEN n.sent = 0 OR n.sent_at > CASE WHEN n.due_at < d.notify_by THEN n.due_at ELSE d.notify_by END THEN 0
                      ELSE 1 END AS worth
            FROM decision n
            JOIN dated d ON d.id = n.incident) x
   GROUP BY x.id
)
SELECT i.id AS item,
       i.label AS label,
       COALESCE(i.declared_at, i.resolved_at) AS occurred_at,
       i.entry AS entry,
       CASE WHEN g.grade < i.grade THEN g.grade ELSE i.grade END AS grade,
       CASE WHEN i.declared_at IS NULL THEN 'no_evidence'
            WHEN w.worth = 3 THEN 'pass'
            WHEN w.worth = 1 THEN 'needs_judgement'
            WHEN d.decide_by > $cutoff THEN 'not_yet_due'
            ELSE 'deviation' END AS a,
       CASE WHEN i.declared_at IS NULL THEN 'no_evidence'
            WHEN t.worth = 3 THEN 'pass'
            WHEN t.worth = 2 THEN 'not_yet_due'
            WHEN t.worth = 1 THEN 'no_evidence'
            WHEN t.worth = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS b,
       CASE WHEN i.declared_at IS NOT NULL AND w.worth = 0 AND d.decide_by <= $cutoff THEN d.decide_by ELSE COALESCE(i.declared_at, i.resolved_at) END AS a_until,
       CASE WHEN i.declared_at IS NOT NULL AND t.worth = 0 THEN t.due_at ELSE COALESCE(i.declared_at, i.resolved_at) END AS b_until
  FROM incident i
  JOIN dated d ON d.id = i.id
  JOIN whole w ON w.id = i.id
  LEFT JOIN told t ON t.id = i.id
  LEFT JOIN (SELECT n.incident AS incident, min(n.grade) AS grade FROM decision n GROUP BY n.incident) g ON g.incident = i.id
 WHERE i.in_scope = 1
   AND COALESCE(i.declared_at, i.resolved_at) >= $from AND COALESCE(i.declared_at, i.resolved_at) < $to
