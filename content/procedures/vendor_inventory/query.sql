WITH used AS (
  -- The instant at which each vendor is judged: the last of its use in the period; NULL where nobody knows.
  SELECT v.id AS id,
         CASE v.data_class WHEN 'personal' THEN 5 WHEN 'customer' THEN 4 WHEN 'confidential' THEN 3 WHEN 'internal' THEN 2 WHEN 'public' THEN 1 WHEN 'none' THEN 0 END AS stated,
         CASE v.tier WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 END AS rank,
         CASE WHEN v.first_used_at IS NULL OR v.ended IS NULL OR (v.ended = 1 AND v.ended_at IS NULL) THEN NULL
              WHEN v.ended = 1 AND v.ended_at < $to AND v.ended_at <= $cutoff THEN v.ended_at - 1
              WHEN $cutoff < $to THEN $cutoff
              ELSE $to - 1 END AS judged_at
    FROM vendor v
   WHERE v.in_scope = 1
     AND (v.first_used_at IS NULL OR (v.first_used_at < $to AND v.first_used_at <= $cutoff))
     AND (v.ended = 0 OR v.ended IS NULL OR v.ended_at IS NULL OR v.ended_at > $from)
),
kind AS (
  -- What an account is, also after it ended: its owner's account ends when they leave.
  SELECT h.id AS id, max(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 1 ELSE 0 END) AS machine, min(CASE WHEN h.kind = 'human' THEN 1 ELSE 0 END) AS human
    FROM account_history h
   GROUP BY h.id
),
owner AS (
  -- Whether its owner works here: 2 they do, 1 nobody can say, 0 they do not. A machine works nowhere.
  SELECT v.id AS id,
         max(CASE WHEN k.machine = 1 THEN 0
                  WHEN op.person IS NULL OR k.human IS NULL OR k.human = 0 THEN 1
                  WHEN e.started_at > u.judged_at OR e.ended_at <= u.judged_at OR e.id IS NULL THEN 0
                  WHEN e.started_at <= u.judged_at AND e.ended_at > u.judged_at THEN 2
                  ELSE 1 END) AS worth
    FROM vendor v
    JOIN used u ON u.id = v.id
    LEFT JOIN kind k ON k.id = v.owner
    LEFT JOIN account_person op ON op.account = v.owner AND op.valid_from <= u.judged_at AND op.valid_to > u.judged_at
    LEFT JOIN account_person ep ON ep.person = op.person AND ep.valid_from <= u.judged_at AND ep.valid_to > u.judged_at
    LEFT JOIN employment e ON e.account = ep.account
   WHERE v.owner IS NOT NULL
   GROUP BY v.id
),
flow AS (
  -- Beside what went to it in the period: 2 the stated class covers it, 1 nobody can say, 0 it does not.
  SELECT u.id AS id, min(f.grade) AS grade,
         min(CASE WHEN u.stated >= CASE f.data_class WHEN 'customer' THEN 4 WHEN 'confidential' THEN 3 WHEN 'internal' THEN 2 WHEN 'public' THEN 1 ELSE 5 END THEN 2
                  WHEN f.data_class IS NULL OR (f.ends_at IS NULL AND f.starts_at < $from) THEN 1
                  ELSE 0 END) AS worth
    FROM used u
    JOIN data_flow f ON f.target = u.id
   WHERE f.starts_at <= u.judged_at AND (f.ends_at > $from OR f.ends_at IS NULL)
   GROUP BY u.id
)
SELECT v.id AS item,
       v.label AS label,
       $from AS occurred_at,
       v.entry AS entry,
       CASE WHEN f.grade < v.grade THEN f.grade ELSE v.grade END AS grade,
       CASE WHEN u.judged_at IS NULL THEN 'no_evidence'
            WHEN v.owner IS NULL THEN 'deviation'
            WHEN o.worth = 2 THEN 'pass'
            WHEN o.worth = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN u.judged_at IS NULL THEN 'no_evidence'
            WHEN u.stated IS NULL OR f.worth = 0 THEN 'deviation'
            WHEN f.worth = 1 THEN 'no_evidence'
            ELSE 'pass' END AS b,
       CASE WHEN u.judged_at IS NULL THEN 'no_evidence'
            WHEN u.rank IS NULL THEN 'deviation'
            WHEN u.stated < 3 OR u.rank >= CASE $sensitive_tier WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END THEN 'pass'
            WHEN u.stated IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS c
  FROM vendor v
  JOIN used u ON u.id = v.id
  LEFT JOIN owner o ON o.id = v.id
  LEFT JOIN flow f ON f.id = v.id
