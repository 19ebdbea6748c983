WITH measured AS (
  -- Each measurement in time, or perhaps: 2 good enough, 1 nobody can say, 0 not; and whether a later one of the same metric is known.
  SELECT e.id AS id, e.model_version AS model_version, e.metric AS metric, e.done_at AS done_at, e.grade AS grade,
         CASE WHEN (e.better = 'higher' AND e.value >= e.threshold) OR (e.better = 'lower' AND e.value <= e.threshold) THEN CASE WHEN e.done_at IS NULL THEN 1 ELSE 2 END
              WHEN e.value IS NULL OR e.threshold IS NULL OR e.better IS NULL OR e.done_at IS NULL THEN 1
              ELSE 0 END AS worth,
         max(e.done_at) OVER (PARTITION BY e.model_version, e.metric) AS last_at
    FROM model_evaluation e
    JOIN model_version m ON m.id = e.model_version
   WHERE e.done_at <= m.released_at OR e.done_at IS NULL
),
evaluated AS (
  SELECT d.model_version AS model_version, min(d.grade) AS grade, min(d.worth) AS worth
    FROM measured d
   WHERE d.done_at = d.last_at OR d.done_at IS NULL
   GROUP BY d.model_version
),
taken_back AS (
  -- Whether a rejection stands between an approval and the release: 2 yes, 1 nobody can say, 0 no.
  SELECT v.id AS approval,
         max(CASE WHEN j.approved_at < v.approved_at OR j.approved_at > m.released_at THEN 0
                  WHEN j.approved_at > v.approved_at AND j.approved_at <= m.released_at THEN 2
                  ELSE 1 END) AS worth
    FROM model_version m
    JOIN model_approval v ON v.model_version = m.id AND v.status = 'approved'
    JOIN model_approval j ON j.model_version = m.id AND j.status = 'rejected'
   GROUP BY v.id
),
opinion AS (
  -- 3 approved in time by somebody independent, 2 a person has to judge, 1 its time is unknown, 0 not.
  SELECT m.id AS model_version, v.grade AS grade,
         CASE WHEN v.approved_at > m.released_at OR t.worth = 2 THEN 0
              WHEN h.kind = 'bot' OR h.kind = 'service' OR vp.person = tp.person THEN 0
              WHEN v.approved_at IS NULL OR t.worth = 1 THEN 1
              WHEN vp.person IS NULL OR tp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 2
              WHEN al.person IS NOT NULL THEN 2
              ELSE 3 END AS worth
    FROM model_version m
    JOIN model_approval v ON v.model_version = m.id AND v.status = 'approved'
    LEFT JOIN taken_back t ON t.approval = v.id
    LEFT JOIN account_history h ON h.id = v.approver AND h.valid_from <= m.released_at AND h.valid_to > m.released_at
    LEFT JOIN account_person vp ON vp.account = v.approver AND vp.valid_from <= m.released_at AND vp.valid_to > m.released_at
    LEFT JOIN account_person tp ON tp.account = m.trained_by AND tp.valid_from <= m.released_at AND tp.valid_to > m.released_at
    LEFT JOIN person_alike al ON al.person = vp.person AND al.other_person = tp.person
),
best AS (
  SELECT o.model_version AS model_version, min(o.grade) AS grade, max(o.worth) AS worth FROM opinion o GROUP BY o.model_version
)
SELECT m.id AS item,
       m.label AS label,
       m.released_at AS occurred_at,
       m.entry AS entry,
       CASE WHEN e.grade < m.grade AND (b.grade IS NULL OR e.grade < b.grade) THEN e.grade WHEN b.grade < m.grade THEN b.grade ELSE m.grade END AS grade,
       CASE e.worth WHEN 2 THEN 'pass' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE b.worth WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS b,
       m.released_at - CAST($days_back AS BIGINT) * 86400000 AS a_since,
       m.released_at - CAST($days_back AS BIGINT) * 86400000 AS b_since
  FROM model_version m
  LEFT JOIN evaluated e ON e.model_version = m.id
  LEFT JOIN best b ON b.model_version = m.id
 WHERE m.released_at >= $from AND m.released_at < $to AND m.in_scope = 1
