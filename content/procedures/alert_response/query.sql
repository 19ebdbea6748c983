WITH dated AS (
  -- When each link is due: at the strictest (_at), and for certain (_by), which differ where the severity is unknown.
  SELECT f.id AS id, f.fired_at AS fired_at,
         f.fired_at + CASE f.severity WHEN 'low' THEN CAST($ack_minutes_low AS BIGINT) WHEN 'medium' THEN CAST($ack_minutes_medium AS BIGINT)
                                      WHEN 'high' THEN CAST($ack_minutes_high AS BIGINT) ELSE CAST($ack_minutes_critical AS BIGINT) END * 60000 AS ack_at,
         f.fired_at + CASE f.severity WHEN 'critical' THEN CAST($ack_minutes_critical AS BIGINT) WHEN 'high' THEN CAST($ack_minutes_high AS BIGINT)
                                      WHEN 'medium' THEN CAST($ack_minutes_medium AS BIGINT) ELSE CAST($ack_minutes_low AS BIGINT) END * 60000 AS ack_by,
         f.fired_at + CASE f.severity WHEN 'low' THEN CAST($ticket_hours_low AS BIGINT) WHEN 'medium' THEN CAST($ticket_hours_medium AS BIGINT)
                                      WHEN 'high' THEN CAST($ticket_hours_high AS BIGINT) ELSE CAST($ticket_hours_critical AS BIGINT) END * 3600000 AS ticket_at,
         f.fired_at + CASE f.severity WHEN 'critical' THEN CAST($ticket_hours_critical AS BIGINT) WHEN 'high' THEN CAST($ticket_hours_high AS BIGINT)
                                      WHEN 'medium' THEN CAST($ticket_hours_medium AS BIGINT) ELSE CAST($ticket_hours_low AS BIGINT) END * 3600000 AS ticket_by,
         f.fired_at + CASE WHEN f.severity <> 'critical' THEN CAST($incident_hours AS BIGINT) ELSE CAST($incident_hours_critical AS BIGINT) END * 3600000 AS incident_at,
         f.fired_at + CASE WHEN f.severity = 'critical' THEN CAST($incident_hours_critical AS BIGINT) ELSE CAST($incident_hours AS BIGINT) END * 3600000 AS incident_by,
         -- Whether it had to be an incident: 2 yes, 1 nobody can say, 0 no.
         CASE WHEN f.severity = 'critical' OR f.severity = 'high' OR f.customer_impact = 1 THEN 2
              WHEN f.severity IS NOT NULL AND f.customer_impact = 0 THEN 0
              ELSE 1 END AS grave
    FROM alert f
),
acked AS (
  -- Who acknowledged: 2 a person, 1 nobody can say, 0 a machine.
  SELECT f.id AS id, min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS person
    FROM alert f
    LEFT JOIN account_history h ON h.id = f.acked_by AND h.valid_from <= f.acked_at AND h.valid_to > f.acked_at
   GROUP BY f.id
),
noise AS (
  -- Whether a person judged it noise in time and wrote why: 2 so it is, 1 nobody can say, 0 no.
  SELECT f.id AS id,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' OR f.judged_at > d.ticket_by OR f.judged_at > $cutoff THEN 0
                  WHEN h.kind = 'human' AND f.reason IS NOT NULL AND f.customer_impact = 0
                       AND f.judged_at >= f.fired_at AND f.judged_at <= d.ticket_at THEN 2
                  ELSE 1 END) AS worth
    FROM alert f
    JOIN dated d ON d.id = f.id
    LEFT JOIN account_history h ON h.id = f.judged_by AND h.valid_from <= f.judged_at AND h.valid_to > f.judged_at
   WHERE f.disposition = 'noise'
   GROUP BY f.id
),
resolved AS (
  -- The day after whose business days the review is due; NULL where it is open, or nobody knows.
  SELECT i.id AS id,
         CASE WHEN i.severity <> 'critical' THEN $review_business_days ELSE $review_business_days_critical END AS days_at,
         CASE WHEN i.severity = 'critical' THEN $review_business_days_critical ELSE $review_business_days END AS days_by,
         d.starts_at AS starts_at, d.business_day_number AS business_day_number
    FROM incident i
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= i.resolved_at AND d.ends_at > i.resolved_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > i.resolved_at - CAST(25 AS BIGINT) * 3600000
),
review_due AS (
  SELECT r.id AS id,
         min(CASE WHEN l.business_day_number = r.business_day_number + r.days_at THEN l.ends_at - 1 END) AS due_at,
         min(CASE WHEN l.business_day_number = r.business_day_number + r.days_by THEN l.ends_at - 1 END) AS due_by
    FROM resolved r
    JOIN calendar_day l ON l.calendar = $calendar AND l.zone = $tz AND l.business_day = 1
          AND (l.business_day_number = r.business_day_number + r.days_at OR l.business_day_number = r.business_day_number + r.days_by)
          -- Among any twenty days and three more a business day there are enough of them.
          AND l.starts_at >= r.starts_at
          AND l.starts_at <= r.starts_at + (CAST(r.days_at + r.days_by AS BIGINT) * 3 + 20) * 86400000
   GROUP BY r.id
),
reviewed AS (
  -- What became of each incident: the verdict of its review, and up to when it reads silence.
  SELECT i.id AS id, w.due_by AS due_by,
         CASE WHEN i.resolved = 0 THEN 'not_yet_due'
              WHEN i.resolved IS NULL OR i.resolved_at IS NULL OR w.due_at IS NULL OR w.due_by IS NULL THEN 'no_evidence'
              WHEN i.resolved_at < i.declared_at THEN 'needs_judgement'
              WHEN i.pir_done_at >= i.resolved_at AND i.pir_done_at <= w.due_at AND i.pir_done_at <= $cutoff AND p.person = 2
                   AND i.resolved_at >= i.declared_at THEN 'pass'
              WHEN i.pir_done_at >= i.resolved_at AND i.pir_done_at <= w.due_at AND i.pir_done_at <= $cutoff AND p.person = 1 THEN 'needs_judgement'
              WHEN w.due_at > $cutoff THEN 'not_yet_due'
              WHEN i.pir_done_at IS NULL AND i.pir_by IS NOT NULL THEN 'no_evidence'
              WHEN w.due_by <= $cutoff AND (i.pir_done_at IS NULL OR i.pir_done_at < i.resolved_at OR i.pir_done_at > w.due_by OR p.person = 0) THEN 'deviation'
              ELSE 'no_evidence' END AS verdict
    FROM incident i
    LEFT JOIN review_due w ON w.id = i.id
    LEFT JOIN (SELECT n.id AS id, min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS person
                 FROM incident n
                 LEFT JOIN account_history h ON h.id = n.pir_by AND h.valid_from <= n.pir_done_at AND h.valid_to > n.pir_done_at
                GROUP BY n.id) p ON p.id = i.id
),
judged AS (
  SELECT f.id AS id, f.label AS label, f.fired_at AS fired_at, f.entry AS entry, f.in_scope AS in_scope, f.incident AS incident,
         d.ack_by AS ack_by, d.ticket_by AS ticket_by, d.incident_by AS incident_by, v.due_by AS review_by,
         CASE WHEN t.grade < f.grade AND (i.grade IS NULL OR t.grade < i.grade) THEN t.grade
              WHEN i.grade < f.grade THEN i.grade
              ELSE f.grade END AS grade,
         CASE WHEN f.acked_at < f.fired_at THEN 'needs_judgement'
              WHEN f.acked_at <= d.ack_at AND f.acked_at <= $cutoff AND k.person = 2 THEN 'pass'
              WHEN f.acked_at <= d.ack_at AND f.acked_at <= $cutoff AND k.person = 1 THEN 'needs_judgement'
              WHEN d.ack_at > $cutoff THEN 'not_yet_due'
              WHEN f.acked_at IS NULL AND f.acked_by IS NOT NULL THEN 'no_evidence'
              WHEN d.ack_by <= $cutoff AND (f.acked_at IS NULL OR f.acked_at > d.ack_by OR k.person = 0) THEN 'deviation'
              ELSE 'no_evidence' END AS a,
         CASE WHEN n.worth = 2 THEN 'not_applicable'
              WHEN t.created_at < f.fired_at THEN 'needs_judgement'
              WHEN t.created_at <= d.ticket_at AND t.created_at <= $cutoff THEN 'pass'
              WHEN n.worth = 1 THEN 'needs_judgement'
              WHEN d.ticket_at > $cutoff THEN 'not_yet_due'
              WHEN f.ticket IS NOT NULL AND t.created_at IS NULL THEN 'no_evidence'
              WHEN d.ticket_by <= $cutoff AND (f.ticket IS NULL OR t.created_at > d.ticket_by) THEN 'deviation'
              ELSE 'no_evidence' END AS b,
         CASE WHEN n.worth = 2 OR d.grave = 0 THEN 'not_applicable'
              WHEN i.declared_at < f.fired_at THEN 'needs_judgement'
              WHEN i.declared_at <= d.incident_at AND i.declared_at <= $cutoff THEN 'pass'
              WHEN n.worth = 1 THEN 'needs_judgement'
              WHEN d.incident_at > $cutoff THEN 'not_yet_due'
              WHEN f.incident IS NOT NULL AND i.declared_at IS NULL THEN 'no_evidence'
              WHEN d.grave = 2 AND d.incident_by <= $cutoff AND (f.incident IS NULL OR i.declared_at > d.incident_by) THEN 'deviation'
              ELSE 'no_evidence' END AS c,
         -- What became of the incident that there is: a chain that broke before it broke here as well.
         v.verdict AS review
    FROM alert f
    JOIN dated d ON d.id = f.id
    JOIN acked k ON k.id = f.id
    LEFT JOIN noise n ON n.id = f.id
    LEFT JOIN ticket t ON t.id = f.ticket
    LEFT JOIN incident i ON i.id = f.incident
    LEFT JOIN reviewed v ON v.id = f.incident
)
SELECT j.id AS item,
       j.label AS label,
       j.fired_at AS occurred_at,
       j.entry AS entry,
       j.grade AS grade,
       j.a AS a,
       j.b AS b,
       j.c AS c,
       CASE WHEN j.incident IS NOT NULL THEN COALESCE(j.review, 'no_evidence') ELSE j.c END AS d,
       CASE WHEN j.a = 'deviation' THEN j.ack_by ELSE j.fired_at END AS a_until,
       CASE WHEN j.b = 'deviation' THEN j.ticket_by ELSE j.fired_at END AS b_until,
       CASE WHEN j.c = 'deviation' THEN j.incident_by ELSE j.fired_at END AS c_until,
       CASE WHEN j.incident IS NOT NULL AND j.review = 'deviation' THEN j.review_by
            WHEN j.incident IS NULL AND j.c = 'deviation' THEN j.incident_by
            ELSE j.fired_at END AS d_until
  FROM judged j
 WHERE j.fired_at >= $from AND j.fired_at < $to AND j.in_scope = 1
