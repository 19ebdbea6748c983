WITH permit AS (
  -- What the rule that is named is worth at that instant: 3 a person had decided it, 2 a person has to say, 1 nobody can say, 0 it did not hold then.
  SELECT e.id AS id, min(r.grade) AS grade, count(r.id) AS versions,
         max(CASE WHEN r.id IS NULL OR r.valid_from > e.exported_at OR r.valid_to <= e.exported_at OR r.approved_at > e.exported_at
                       OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN r.valid_to IS NULL OR r.approved_at IS NULL OR h.kind IS NULL OR h.kind = 'unknown' THEN 1
                  WHEN h.kind = 'human' THEN 3
                  ELSE 2 END) AS worth
    FROM data_export e
    LEFT JOIN export_rule_history r ON r.id = e.rule
    LEFT JOIN account_history h ON h.id = r.approved_by AND h.valid_from <= r.approved_at AND h.valid_to > r.approved_at
   WHERE e.exported_at >= $from AND e.exported_at < $to
   GROUP BY e.id
),
judged AS (
  -- Whether somebody else judged it: 3 in time, 2 a person has to say, 1 nobody can say, 0 not, or not in time.
  SELECT e.id AS id, e.exported_at + CAST($judge_days AS BIGINT) * 86400000 AS due_at,
         min(CASE WHEN e.judged = 0 OR e.reason = '' OR h.kind = 'bot' OR h.kind = 'service' OR e.judged_by = e.exported_by OR bp.person = xp.person
                       OR e.judged_at > e.exported_at + CAST($judge_days AS BIGINT) * 86400000 OR e.judged_at > $cutoff THEN 0
                  WHEN e.judged IS NULL OR e.reason IS NULL OR e.judged_at IS NULL OR e.judged_at < e.exported_at OR e.exported_by IS NULL
                       OR h.kind IS NULL OR h.kind = 'unknown' OR bp.person IS NULL OR xp.person IS NULL THEN 1
                  WHEN h.kind <> 'human' OR al.person IS NOT NULL THEN 2
                  ELSE 3 END) AS worth
    FROM data_export e
    LEFT JOIN account_history h ON h.id = e.judged_by AND h.valid_from <= e.judged_at AND h.valid_to > e.judged_at
    LEFT JOIN account_person bp ON bp.account = e.judged_by AND bp.valid_from <= e.judged_at AND bp.valid_to > e.judged_at
    LEFT JOIN account_person xp ON xp.account = e.exported_by AND xp.valid_from <= e.exported_at AND xp.valid_to > e.exported_at
    LEFT JOIN person_alike al ON al.person = bp.person AND al.other_person = xp.person
   WHERE e.exported_at >= $from AND e.exported_at < $to
   GROUP BY e.id, e.exported_at
)
SELECT e.id AS item,
       e.label AS label,
       e.exported_at AS occurred_at,
       e.entry AS entry,
       CASE WHEN p.grade < e.grade THEN p.grade ELSE e.grade END AS grade,
       CASE WHEN e.let_out = 0 OR (e.allowed = 1 AND p.worth = 3) THEN 'pass'
            WHEN e.allowed = 1 AND p.worth = 2 THEN 'needs_judgement'
            WHEN e.let_out IS NULL OR e.allowed IS NULL OR (e.allowed = 1 AND (e.rule IS NULL OR p.worth = 1)) THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN e.allowed = 1 AND p.worth = 3 THEN 'not_applicable'
            WHEN j.worth = 3 THEN 'pass'
            WHEN j.worth = 2 THEN 'needs_judgement'
            WHEN j.worth = 0 AND j.due_at > $cutoff THEN 'not_yet_due'
            -- What a rule may have allowed need not be judged; one that nobody has seen may have.
            WHEN j.worth = 1 OR e.allowed IS NULL OR (e.allowed = 1 AND (p.versions = 0 OR p.worth > 0)) THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       e.exported_at AS a_until,
       CASE WHEN j.worth = 0 AND j.due_at <= $cutoff THEN j.due_at ELSE e.exported_at END AS b_until
  FROM data_export e
  JOIN permit p ON p.id = e.id
  JOIN judged j ON j.id = e.id
 WHERE e.exported_at >= $from AND e.exported_at < $to AND e.in_scope = 1
