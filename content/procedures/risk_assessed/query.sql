WITH dated AS (
  SELECT r.id AS id, r.done_at + CAST($days AS BIGINT) * 86400000 AS good_until, r.done_at + CAST($approve_days AS BIGINT) * 86400000 AS approve_by,
         CASE WHEN $cutoff < $to THEN $cutoff ELSE $to - 1 END AS ends_at,
         (SELECT min(n.done_at) FROM risk_assessment n WHERE n.subject = r.subject AND n.done_at > r.done_at AND n.done_at <= $cutoff) AS next_at
    FROM risk_assessment r
),
approver AS (
  -- 2 somebody else, 1 nobody can say, 0 a machine, or whoever answers for it.
  SELECT r.id AS id,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' OR ap.person = dp.person THEN 0
                  WHEN ap.person IS NULL OR dp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  WHEN al.person IS NOT NULL THEN 1
                  ELSE 2 END) AS independence
    FROM risk_assessment r
    LEFT JOIN account_history h ON h.id = r.approved_by AND h.valid_from <= r.approved_at AND h.valid_to > r.approved_at
    LEFT JOIN account_person ap ON ap.account = r.approved_by AND ap.valid_from <= r.approved_at AND ap.valid_to > r.approved_at
    LEFT JOIN account_person dp ON dp.account = r.done_by AND dp.valid_from <= r.done_at AND dp.valid_to > r.done_at
    LEFT JOIN person_alike al ON al.person = ap.person AND al.other_person = dp.person
   GROUP BY r.id
)
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       r.grade AS grade,
       CASE WHEN d.good_until < $from THEN 'not_applicable'
            WHEN r.covers_fraud = 0 OR r.covers_vendors = 0 OR r.covers_ai = 0 OR r.covers_threats = 0 THEN 'deviation'
            WHEN r.covers_fraud = 1 AND r.covers_vendors = 1 AND r.covers_ai = 1 AND r.covers_threats = 1 THEN 'pass'
            ELSE 'no_evidence' END AS a,
       CASE WHEN d.good_until < $from THEN 'not_applicable'
            WHEN r.approved_at >= r.done_at AND r.approved_at <= d.approve_by AND r.approved_at <= $cutoff AND p.independence = 2 THEN 'pass'
            WHEN r.approved_at >= r.done_at AND r.approved_at <= d.approve_by AND r.approved_at <= $cutoff AND p.independence = 1 THEN 'needs_judgement'
            WHEN d.approve_by > $cutoff THEN 'not_yet_due'
            WHEN r.approved_at IS NULL AND r.approved_by IS NOT NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN d.good_until >= d.ends_at THEN 'pass'
            WHEN d.good_until >= $from AND d.next_at <= d.good_until THEN 'pass'
            WHEN d.good_until < $from AND d.next_at <= $from THEN 'not_applicable'
            ELSE 'deviation' END AS c,
       $from AS a_since,
       CASE WHEN r.done_at < $from THEN r.done_at ELSE $from END AS b_since,
       CASE WHEN r.done_at < $from THEN r.done_at ELSE $from END AS c_since,
       $from AS a_until,
       CASE WHEN d.approve_by > $from AND d.approve_by <= $cutoff THEN d.approve_by ELSE $from END AS b_until,
       $from AS c_until
  FROM risk_assessment r
  JOIN dated d ON d.id = r.id
  JOIN approver p ON p.id = r.id
 WHERE r.in_scope = 1
   AND r.done_at < $to AND r.done_at <= $cutoff
   AND r.done_at >= $from - CAST(1095 AS BIGINT) * 86400000
