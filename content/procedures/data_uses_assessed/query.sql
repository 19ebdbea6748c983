WITH used AS (
  -- The instant at which each use is judged: its last in the period; NULL where nobody knows.
  SELECT d.id AS id,
         CASE WHEN d.begun_at IS NULL OR d.ended IS NULL OR (d.ended = 1 AND d.ended_at IS NULL) THEN NULL
              WHEN d.ended = 1 AND d.ended_at < $to AND d.ended_at <= $cutoff THEN d.ended_at - 1
              WHEN $cutoff < $to THEN $cutoff
              ELSE $to - 1 END AS judged_at
    FROM data_use d
   WHERE d.in_scope = 1
     AND (d.begun_at IS NULL OR (d.begun_at < $to AND d.begun_at <= $cutoff))
     AND (d.ended = 0 OR d.ended IS NULL OR d.ended_at IS NULL OR d.ended_at > $from)
),
looked AS (
  -- Whether a named person went through it in the time before: 2 one did, 1 a person has to say, 0 none did.
  SELECT v.data_use AS id, min(v.grade) AS grade,
         max(CASE WHEN v.done_at > u.judged_at OR v.done_at < u.judged_at - CAST($review_days AS BIGINT) * 86400000
                       OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN v.done_at <= u.judged_at AND h.kind = 'human' THEN 2
                  ELSE 1 END) AS worth
    FROM data_use_review v
    JOIN used u ON u.id = v.data_use
    LEFT JOIN account_history h ON h.id = v.done_by AND h.valid_from <= v.done_at AND h.valid_to > v.done_at
   GROUP BY v.data_use
),
weighed AS (
  -- Each assessment by a person, or perhaps by one, before it began, or perhaps before: and when the last of them was.
  SELECT i.data_use AS id, i.done_at AS done_at, i.grade AS grade,
         CASE WHEN i.result = 'may_not' AND i.done_at IS NOT NULL THEN 0
              WHEN i.result = 'may_begin' AND i.done_at IS NOT NULL AND h.kind = 'human' THEN 3
              WHEN i.result = 'may_begin' THEN 2
              ELSE 1 END AS worth,
         max(i.done_at) OVER (PARTITION BY i.data_use) AS last_at
    FROM impact_assessment i
    JOIN data_use d ON d.id = i.data_use
    LEFT JOIN account_history h ON h.id = i.done_by AND h.valid_from <= i.done_at AND h.valid_to > i.done_at
   WHERE (i.done_at <= d.begun_at OR i.done_at IS NULL)
     AND (h.kind IS NULL OR (h.kind <> 'bot' AND h.kind <> 'service'))
),
assessed AS (
  -- The worst of what was found last: 3 it may begin, as a person found, 2 a person has to say, 1 nobody can say, 0 it may not.
  SELECT w.id AS id, min(w.grade) AS grade, min(w.worth) AS worth
    FROM weighed w
   WHERE w.done_at = w.last_at OR w.done_at IS NULL
   GROUP BY w.id
)
SELECT d.id AS item,
       d.label AS label,
       $from AS occurred_at,
       d.entry AS entry,
       CASE WHEN l.grade < d.grade AND l.grade <= COALESCE(a.grade, l.grade) THEN l.grade WHEN a.grade < d.grade THEN a.grade ELSE d.grade END AS grade,
       CASE WHEN u.judged_at IS NULL THEN 'no_evidence'
            WHEN d.purpose = 'none' OR d.ground = 'none' OR d.fields <= 0 THEN 'deviation'
            -- The register may have no such column: silence about its data, a purpose or a ground is unknown.
            WHEN d.purpose IS NULL OR d.ground IS NULL OR d.fields IS NULL THEN 'no_evidence'
            ELSE 'pass' END AS a,
       CASE WHEN u.judged_at IS NULL THEN 'no_evidence'
            WHEN l.worth = 2 THEN 'pass'
            WHEN d.begun_at > u.judged_at - CAST($review_days AS BIGINT) * 86400000 THEN 'not_yet_due'
            WHEN l.worth = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS b,
       CASE WHEN d.begun_at < $from OR d.risky = 0 THEN 'not_applicable'
            WHEN u.judged_at IS NULL THEN 'no_evidence'
            WHEN a.worth = 3 THEN 'pass'
            WHEN d.risky IS NULL OR a.worth = 1 THEN 'no_evidence'
            WHEN a.worth = 2 THEN 'needs_judgement'
            ELSE 'deviation' END AS c,
       $from AS a_since,
       COALESCE(u.judged_at, $from) - CAST($review_days AS BIGINT) * 86400000 AS b_since,
       CASE WHEN d.begun_at - CAST($days_back AS BIGINT) * 86400000 < $from THEN d.begun_at - CAST($days_back AS BIGINT) * 86400000 ELSE $from END AS c_since
  FROM data_use d
  JOIN used u ON u.id = d.id
  LEFT JOIN looked l ON l.id = d.id
  LEFT JOIN assessed a ON a.id = d.id
