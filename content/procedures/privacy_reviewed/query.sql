WITH doer AS (
  -- Who did each review: 2 a person, 1 nobody can say, 0 a machine.
  SELECT v.id AS id, v.subject AS subject, v.done_at AS done_at,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN h.kind = 'human' AND p.person IS NOT NULL THEN 2
                  ELSE 1 END) AS worth
    FROM privacy_review v
    LEFT JOIN account_history h ON h.id = v.done_by AND h.valid_from <= v.done_at AND h.valid_to > v.done_at
    LEFT JOIN account_person p ON p.account = v.done_by AND p.valid_from <= v.done_at AND p.valid_to > v.done_at
   WHERE v.done_at <= $cutoff
   GROUP BY v.id, v.subject, v.done_at
),
dated AS (
  SELECT d.id AS id, d.worth AS worth, d.done_at + CAST($days AS BIGINT) * 86400000 AS good_until,
         d.done_at + CAST($report_days AS BIGINT) * 86400000 AS report_by,
         CASE WHEN $cutoff < $to THEN $cutoff ELSE $to - 1 END AS ends_at
    FROM doer d
),
sequel AS (
  -- When the next one of the same subject was finished: by a person, and perhaps by one.
  SELECT d.id AS id,
         (SELECT min(n.done_at) FROM doer n WHERE n.subject = d.subject AND n.done_at > d.done_at AND n.worth = 2) AS sure_at,
         (SELECT min(n.done_at) FROM doer n WHERE n.subject = d.subject AND n.done_at > d.done_at AND n.worth >= 1) AS perhaps_at
    FROM doer d
),
told AS (
  -- To whom it was reported: 2 somebody else, 1 nobody can say, 0 a machine, or whoever did it.
  SELECT v.id AS id,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' OR v.reported_to = v.done_by OR rp.person = dp.person THEN 0
                  WHEN rp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' OR al.person IS NOT NULL THEN 1
                  WHEN dp.person IS NULL AND d.worth <> 0 THEN 1
                  ELSE 2 END) AS worth
    FROM privacy_review v
    JOIN doer d ON d.id = v.id
    LEFT JOIN account_history h ON h.id = v.reported_to AND h.valid_from <= v.reported_at AND h.valid_to > v.reported_at
    LEFT JOIN account_person rp ON rp.account = v.reported_to AND rp.valid_from <= v.reported_at AND rp.valid_to > v.reported_at
    LEFT JOIN account_person dp ON dp.account = v.done_by AND dp.valid_from <= v.done_at AND dp.valid_to > v.done_at
    LEFT JOIN person_alike al ON al.person = rp.person AND al.other_person = dp.person
   GROUP BY v.id
)
SELECT v.id AS item,
       v.label AS label,
       $from AS occurred_at,
       v.entry AS entry,
       v.grade AS grade,
       CASE WHEN d.good_until < $from THEN 'not_applicable'
            WHEN d.worth = 0 OR v.findings = 'none' THEN 'deviation'
            WHEN d.worth = 1 THEN 'needs_judgement'
            -- The register may have no such column: silence about what was found is unknown.
            WHEN v.findings IS NULL THEN 'no_evidence'
            ELSE 'pass' END AS a,
       CASE WHEN d.good_until < $from THEN 'not_applicable'
            WHEN v.reported_at >= v.done_at AND v.reported_at <= d.report_by AND v.reported_at <= $cutoff AND t.worth = 2 THEN 'pass'
            WHEN v.reported_at >= v.done_at AND v.reported_at <= d.report_by AND v.reported_at <= $cutoff AND t.worth = 1 THEN 'needs_judgement'
            WHEN d.report_by > $cutoff THEN 'not_yet_due'
            WHEN v.reported_at IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       -- Its days may be good for nothing where a machine did it.
       CASE WHEN d.good_until < $from AND q.sure_at <= $from THEN 'not_applicable'
            WHEN d.good_until < $from AND q.perhaps_at <= $from THEN 'needs_judgement'
            WHEN d.good_until < $from OR d.worth = 0 THEN 'deviation'
            WHEN d.good_until >= d.ends_at OR q.sure_at <= d.good_until THEN CASE d.worth WHEN 2 THEN 'pass' ELSE 'needs_judgement' END
            WHEN q.perhaps_at <= d.good_until THEN 'needs_judgement'
            ELSE 'deviation' END AS c,
       $from AS a_since,
       CASE WHEN v.done_at < $from THEN v.done_at ELSE $from END AS b_since,
       CASE WHEN v.done_at < $from THEN v.done_at ELSE $from END AS c_since,
       $from AS a_until,
       CASE WHEN d.report_by > $from AND d.report_by <= $cutoff THEN d.report_by ELSE $from END AS b_until,
       $from AS c_until
  FROM privacy_review v
  JOIN dated d ON d.id = v.id
  JOIN sequel q ON q.id = v.id
  JOIN told t ON t.id = v.id
 WHERE v.in_scope = 1
   AND v.done_at < $to AND v.done_at <= $cutoff
   AND v.done_at >= $from - CAST(1095 AS BIGINT) * 86400000
