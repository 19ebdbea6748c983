WITH change AS (
  -- When each took effect: with its vendor's first use, if that came before. NULL where nobody can say.
  SELECT s.id AS id, s.label AS label, s.entry AS entry, s.grade AS grade,
         CASE WHEN v.first_used_at < s.effective_at THEN v.first_used_at ELSE s.effective_at END AS occurred_at,
         CASE WHEN (s.kind = 'vendor' OR s.kind IS NULL) AND v.first_used_at IS NULL THEN NULL
              WHEN v.first_used_at < s.effective_at THEN v.first_used_at
              ELSE s.effective_at END AS effective_at,
         -- 1 it touches personal data, 0 it does not.
         CASE WHEN s.personal_data = 1 OR v.data_class = 'personal' THEN 1
              WHEN s.personal_data = 0 AND (s.kind <> 'vendor' OR v.data_class IS NOT NULL) THEN 0 END AS personal
    FROM significant_change s
    LEFT JOIN vendor v ON v.id = s.vendor AND (s.kind = 'vendor' OR s.kind IS NULL)
   WHERE s.in_scope = 1
),
affected AS (
  SELECT c.id AS id, c.label AS label, c.entry AS entry, c.grade AS grade, c.occurred_at AS occurred_at,
         c.effective_at AS effective_at, c.personal AS personal
    FROM change c
   WHERE c.occurred_at >= $from AND c.occurred_at < $to AND c.occurred_at <= $cutoff
),
review AS (
  -- Reviews that were, or may have been, there when it took effect, and by whom: 2 a person, 1 nobody can say, 0 a machine.
  SELECT a.id AS id, a.effective_at AS effective_at, r.id AS review, r.done_at AS done_at, r.decision AS decision, r.personal_data AS personal_data,
         min(r.grade) AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' AND p.person IS NOT NULL THEN 2 ELSE 1 END) AS who
    FROM affected a
    JOIN risk_review r ON r.change = a.id
    LEFT JOIN account_history h ON h.id = r.done_by AND h.valid_from <= r.done_at AND h.valid_to > r.done_at
    LEFT JOIN account_person p ON p.account = r.done_by AND p.valid_from <= r.done_at AND p.valid_to > r.done_at
   WHERE r.done_at IS NULL
      OR r.done_at <= a.effective_at AND r.done_at >= a.effective_at - CAST($days_before AS BIGINT) * 86400000
   GROUP BY a.id, a.effective_at, r.id, r.done_at, r.decision, r.personal_data
),
stopped AS (
  -- The last instant at which it was stopped, whoever did so; and the last at which it may have been.
  SELECT r.id AS id, max(CASE WHEN r.decision = 'stop' THEN r.done_at END) AS stopped_at,
         max(CASE WHEN r.decision = 'stop' AND r.done_at IS NULL OR r.decision IS NULL THEN COALESCE(r.done_at, r.effective_at) END) AS perhaps_at
    FROM review r
   GROUP BY r.id
),
weighed AS (
  -- What each review is worth: 3 let it go, 2 a person has to say, 1 nobody can say, 0 nothing.
  SELECT r.id AS id, r.grade AS grade, r.personal_data AS personal_data,
         CASE WHEN r.who = 0 OR r.decision = 'stop' OR r.done_at <= s.stopped_at THEN 0
              WHEN r.done_at IS NULL OR r.decision IS NULL OR r.done_at <= s.perhaps_at THEN 1
              WHEN r.who = 1 THEN 2
              ELSE 3 END AS worth
    FROM review r
    JOIN stopped s ON s.id = r.id
),
best AS (
  SELECT w.id AS id, min(CASE WHEN w.worth > 1 THEN w.grade END) AS grade, max(w.worth) AS a,
         max(CASE WHEN w.personal_data = 1 THEN w.worth WHEN w.personal_data IS NULL AND w.worth > 0 THEN 1 ELSE 0 END) AS b
    FROM weighed w
   GROUP BY w.id
),
begun AS (
  -- Vendors of weight that came into use in the period, or of which nobody says whether they are.
  SELECT v.id AS id, v.label AS label, v.entry AS entry, v.grade AS grade, v.tier AS tier, v.first_used_at AS first_used_at
    FROM vendor v
   WHERE v.in_scope = 1
     AND v.first_used_at >= $from AND v.first_used_at < $to AND v.first_used_at <= $cutoff
     AND (v.tier IS NULL
          OR CASE v.tier WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END
             >= CASE $vendor_tier WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END)
),
entered AS (
  -- Whether a change of that time names it: 2 one does, 1 one may mean it.
  SELECT b.id AS id, min(s.grade) AS grade,
         max(CASE WHEN s.effective_at < b.first_used_at - CAST($days_before AS BIGINT) * 86400000 THEN 0
                  WHEN s.vendor = b.id AND s.kind = 'vendor' THEN 2
                  WHEN s.effective_at > b.first_used_at + CAST($days_before AS BIGINT) * 86400000 AND s.vendor IS NULL THEN 0
                  ELSE 1 END) AS worth
    FROM begun b
    JOIN significant_change s ON (s.kind = 'vendor' OR s.kind IS NULL) AND (s.vendor = b.id OR s.vendor IS NULL)
   GROUP BY b.id
)
SELECT a.id AS item,
       a.label AS label,
       a.occurred_at AS occurred_at,
       a.entry AS entry,
       CASE WHEN b.grade < a.grade THEN b.grade ELSE a.grade END AS grade,
       CASE WHEN a.effective_at IS NULL THEN 'no_evidence'
            WHEN b.a = 3 THEN 'pass' WHEN b.a = 2 THEN 'needs_judgement' WHEN b.a = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN a.personal = 0 THEN 'not_applicable'
            WHEN a.effective_at IS NULL THEN 'no_evidence'
            WHEN b.b = 3 THEN 'pass' WHEN a.personal IS NULL THEN 'no_evidence'
            WHEN b.b = 2 THEN 'needs_judgement' WHEN b.b = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       'not_applicable' AS c,
       a.occurred_at - CAST($days_before AS BIGINT) * 86400000 AS a_since,
       a.occurred_at - CAST($days_before AS BIGINT) * 86400000 AS b_since,
       a.occurred_at AS c_since
  FROM affected a
  LEFT JOIN best b ON b.id = a.id
UNION ALL
SELECT v.id AS item,
       v.label AS label,
       v.first_used_at AS occurred_at,
       v.entry AS entry,
       CASE WHEN e.worth = 2 AND e.grade < v.grade THEN e.grade ELSE v.grade END AS grade,
       'not_applicable' AS a,
       'not_applicable' AS b,
       CASE WHEN v.tier IS NULL THEN 'no_evidence'
            WHEN e.worth = 2 THEN 'pass' WHEN e.worth = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS c,
       v.first_used_at AS a_since,
       v.first_used_at AS b_since,
       v.first_used_at AS c_since
  FROM begun v
  LEFT JOIN entered e ON e.id = v.id
