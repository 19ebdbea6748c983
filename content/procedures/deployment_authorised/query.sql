WITH taken_back AS (
  -- Whether a rejection stands between an approval and the deployment: 2 yes, 1 nobody can say, 0 no.
  SELECT v.id AS approval,
         max(CASE WHEN r.approved_at <= v.approved_at OR r.approved_at > d.deployed_at THEN 0
                  WHEN r.approved_at > v.approved_at AND r.approved_at <= d.deployed_at THEN 2
                  ELSE 1 END) AS worth
    FROM deployment_approval v
    JOIN deployment_approval r ON r.deployment = v.deployment AND r.status = 'rejected'
    JOIN deployment d ON d.id = v.deployment
   GROUP BY v.id
),
opinion AS (
  -- 3 allowed in time by somebody independent or by a rule, 2 a person has to judge, 1 its time is unknown, 0 not.
  SELECT d.id AS deployment, v.grade AS grade,
         CASE WHEN v.approved_at > d.deployed_at THEN 0
              WHEN t.worth = 2 THEN 0
              WHEN h.kind = 'bot' OR h.kind = 'service' OR ap.person = dp.person THEN 0
              WHEN v.approved_at IS NULL OR t.worth = 1 THEN 1
              WHEN v.rule IS NOT NULL THEN 3
              WHEN ap.person IS NULL OR dp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 2
              WHEN al.person IS NOT NULL THEN 2
              ELSE 3 END AS worth
    FROM deployment d
    JOIN deployment_approval v ON v.deployment = d.id AND v.status = 'approved'
    LEFT JOIN taken_back t ON t.approval = v.id
    LEFT JOIN account_history h ON h.id = v.approver AND h.valid_from <= d.deployed_at AND h.valid_to > d.deployed_at
    LEFT JOIN account_person ap ON ap.account = v.approver AND ap.valid_from <= d.deployed_at AND ap.valid_to > d.deployed_at
    LEFT JOIN account_person dp ON dp.account = d.deployed_by AND dp.valid_from <= d.deployed_at AND dp.valid_to > d.deployed_at
    LEFT JOIN person_alike al ON al.person = ap.person AND al.other_person = dp.person
),
best AS (
  SELECT o.deployment AS deployment, min(o.grade) AS grade, max(o.worth) AS worth FROM opinion o GROUP BY o.deployment
)
SELECT d.id AS item,
       d.label AS label,
       d.deployed_at AS occurred_at,
       d.entry AS entry,
       CASE WHEN b.grade < d.grade THEN b.grade ELSE d.grade END AS grade,
       CASE WHEN d.production IS NULL THEN 'no_evidence'
            WHEN b.worth = 3 THEN 'pass'
            WHEN b.worth = 2 THEN 'needs_judgement'
            WHEN b.worth = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a
  FROM deployment d
  LEFT JOIN best b ON b.deployment = d.id
 WHERE d.deployed_at >= $from AND d.deployed_at < $to AND d.in_scope = 1 AND (d.production = 1 OR d.production IS NULL)
