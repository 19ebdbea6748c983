WITH emergency AS (
  -- Uses of what is an account for emergencies then, or may still have been.
  SELECT u.id AS id, u.account AS account, u.used_at AS used_at, u.entry AS entry, u.grade AS grade,
         min(COALESCE((SELECT min(s.label) FROM system_history s WHERE s.id = u.system), 'a system')) AS label
    FROM account_use u
    JOIN account_history h ON h.id = u.account AND h.kind = 'break_glass' AND h.valid_from <= u.used_at
          AND (h.valid_to > u.used_at OR h.valid_to IS NULL)
   WHERE u.used_at >= $from AND u.used_at < $to AND u.used_at <= $cutoff AND u.in_scope = 1
   GROUP BY u.id, u.account, u.used_at, u.entry, u.grade
),
due AS (
  SELECT e.id AS id, min(last.ends_at) - 1 AS due_at
    FROM emergency e
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= e.used_at AND d.ends_at > e.used_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > e.used_at - CAST(25 AS BIGINT) * 3600000
    JOIN calendar_day last ON last.calendar = $calendar AND last.zone = $tz AND last.business_day = 1
          AND last.business_day_number = d.business_day_number + $review_business_days
          -- Among any twenty days and three more a business day there are enough of them.
          AND last.starts_at >= d.starts_at
          AND last.starts_at <= d.starts_at + (CAST($review_business_days AS BIGINT) * 3 + 20) * 86400000
   GROUP BY e.id
),
answer AS (
  -- Of each review: whether what it names is there, whether it was in time (2 yes, 1 nobody can say, 0 no), and whether
  -- somebody else made it (2 yes, 1 perhaps, 0 no).
  SELECT e.id AS id, r.id AS review, r.grade AS grade,
         max(CASE WHEN t.id IS NOT NULL OR i.id IS NOT NULL THEN 2 ELSE 0 END) AS explained,
         max(CASE WHEN r.reviewed_at IS NULL AND r.reviewed_by IS NULL OR r.reviewed_at < e.used_at OR r.reviewed_at > $cutoff THEN 0
                  WHEN r.reviewed_at > d.due_at THEN 0
                  WHEN r.reviewed_at IS NULL OR d.due_at IS NULL THEN 1
                  ELSE 2 END) AS in_time,
         min(CASE WHEN r.reviewed_by = e.account OR r.reviewed_by = r.used_by OR rp.person = up.person
                       OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN rp.person IS NULL OR up.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' OR al.person IS NOT NULL THEN 1
                  ELSE 2 END) AS independent
    FROM emergency e
    JOIN use_review r ON r.account_use = e.id
    LEFT JOIN due d ON d.id = e.id
    LEFT JOIN ticket t ON t.id = r.ticket AND (t.created_at <= $cutoff OR t.created_at IS NULL)
    LEFT JOIN incident i ON i.id = r.incident
    LEFT JOIN account_history h ON h.id = r.reviewed_by AND h.valid_from <= r.reviewed_at AND h.valid_to > r.reviewed_at
    LEFT JOIN account_person rp ON rp.account = r.reviewed_by AND rp.valid_from <= r.reviewed_at AND rp.valid_to > r.reviewed_at
    LEFT JOIN account_person up ON up.account = r.used_by AND up.valid_from <= e.used_at AND up.valid_to > e.used_at
    LEFT JOIN person_alike al ON al.person = rp.person AND al.other_person = up.person
   GROUP BY e.id, r.id, r.grade
),
best AS (
  SELECT a.id AS id, min(a.grade) AS grade, max(a.explained) AS explained, max(a.in_time) AS in_time,
         -- Of those reviews only that may have been in time.
         max(CASE WHEN a.in_time > 0 THEN a.independent END) AS independent,
         max(CASE WHEN a.in_time = 2 THEN a.independent END) AS surely_independent
    FROM answer a
   GROUP BY a.id
)
SELECT e.id AS item,
       'emergency login at ' || e.label AS label,
       e.used_at AS occurred_at,
       e.entry AS entry,
       CASE WHEN b.grade < e.grade THEN b.grade ELSE e.grade END AS grade,
       CASE WHEN b.explained = 2 THEN 'pass'
            WHEN d.due_at IS NULL THEN 'no_evidence'
            WHEN d.due_at > $cutoff THEN 'not_yet_due'
            ELSE 'deviation' END AS a,
       CASE WHEN b.in_time = 2 THEN 'pass'
            WHEN d.due_at IS NULL OR b.in_time = 1 THEN 'no_evidence'
            WHEN d.due_at > $cutoff THEN 'not_yet_due'
            ELSE 'deviation' END AS b,
       CASE WHEN b.surely_independent = 2 THEN 'pass'
            WHEN b.independent >= 1 THEN 'needs_judgement'
            WHEN b.independent = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS c,
       CASE WHEN d.due_at < $cutoff THEN d.due_at ELSE $cutoff END AS a_until,
       CASE WHEN d.due_at < $cutoff THEN d.due_at ELSE $cutoff END AS b_until,
       CASE WHEN d.due_at < $cutoff THEN d.due_at ELSE $cutoff END AS c_until
  FROM emergency e
  LEFT JOIN due d ON d.id = e.id
  LEFT JOIN best b ON b.id = e.id
