WITH due AS (
  SELECT v.id AS bypass, min(last.ends_at) AS due_at
    FROM bypass v
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= v.bypassed_at AND d.ends_at > v.bypassed_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > v.bypassed_at - CAST(25 AS BIGINT) * 3600000
    JOIN calendar_day last ON last.calendar = $calendar AND last.zone = $tz AND last.business_day = 1
          AND last.business_day_number = d.business_day_number + $review_business_days
          -- Among any twenty days and three more a business day there are enough of them.
          AND last.starts_at >= d.starts_at
          AND last.starts_at <= d.starts_at + (CAST($review_business_days AS BIGINT) * 3 + 20) * 86400000
   GROUP BY v.id
),
reviewer AS (
  SELECT v.id AS bypass,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' OR rp.person = dp.person THEN 0
                  WHEN rp.person IS NULL OR dp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  WHEN al.person IS NOT NULL THEN 1
                  ELSE 2 END) AS independence
    FROM bypass v
    LEFT JOIN account_history h ON h.id = v.reviewed_by AND h.valid_from <= v.reviewed_at AND h.valid_to > v.reviewed_at
    LEFT JOIN account_person rp ON rp.account = v.reviewed_by AND rp.valid_from <= v.reviewed_at AND rp.valid_to > v.reviewed_at
    LEFT JOIN account_person dp ON dp.account = v.bypassed_by AND dp.valid_from <= v.bypassed_at AND dp.valid_to > v.bypassed_at
    LEFT JOIN person_alike al ON al.person = rp.person AND al.other_person = dp.person
   GROUP BY v.id
)
SELECT v.id AS item,
       v.label AS label,
       v.bypassed_at AS occurred_at,
       v.entry AS entry,
       v.grade AS grade,
       CASE WHEN d.due_at IS NULL THEN 'no_evidence'
            WHEN v.reviewed_at >= v.bypassed_at AND v.reviewed_at < d.due_at AND v.reviewed_at <= $cutoff THEN 'pass'
            WHEN d.due_at - 1 > $cutoff THEN 'not_yet_due'
            ELSE 'deviation' END AS a,
       CASE WHEN v.reviewed_at IS NULL OR v.reviewed_at > $cutoff THEN
                 CASE WHEN d.due_at IS NULL THEN 'no_evidence' WHEN d.due_at - 1 > $cutoff THEN 'not_yet_due' ELSE 'deviation' END
            WHEN r.independence = 2 THEN 'pass'
            WHEN r.independence = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS b
  FROM bypass v
  LEFT JOIN due d ON d.bypass = v.id
  LEFT JOIN reviewer r ON r.bypass = v.id
 WHERE v.bypassed_at >= $from AND v.bypassed_at < $to AND v.in_scope = 1
