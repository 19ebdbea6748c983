WITH taken_back AS (
  -- Whether the giver of an approval asked for changes between it and the merge: 2 yes, 1 nobody can say, 0 no.
  SELECT ap.id AS approval,
         max(CASE WHEN later.approver <> ap.approver OR later.approved_at <= ap.approved_at
                       OR later.approved_at > pr.merged_at THEN 0
                  WHEN later.approver = ap.approver AND later.approved_at > ap.approved_at
                       AND later.approved_at <= pr.merged_at THEN 2
                  ELSE 1 END) AS worth
    FROM approval ap
    JOIN approval later ON later.pull_request = ap.pull_request AND later.status = 'changes_requested'
    JOIN pull_request pr ON pr.id = ap.pull_request
   GROUP BY ap.id
),
opinion AS (
  -- Each approval, and how independent its giver is of everybody whose work is in the change:
  -- 2 independent, 1 a person has to judge, 0 not independent.
  SELECT cp.change AS change,
         ap.id AS approval,
         min(ap.grade) AS grade,
         min(COALESCE(gp.person, 0 - ap.id)) AS giver,
         -- Whether it was in force at the merge, on the revision that merged: 2 yes, 1 the source does not say, 0 no.
         min(CASE WHEN ap.status <> 'approved' THEN 1
                  WHEN ap.revision <> pr.head OR ap.approved_at > pr.merged_at OR ap.dismissed_at <= pr.merged_at THEN 0
                  WHEN taken_back.worth = 2 THEN 0
                  WHEN taken_back.worth = 1 THEN 1
                  WHEN ap.revision = pr.head AND ap.approved_at <= pr.merged_at AND ap.dismissed_at > pr.merged_at THEN 2
                  ELSE 1 END) AS in_force,
         min(CASE WHEN gh.kind = 'bot' OR gh.kind = 'service' THEN 0
                  WHEN gp.person = kp.person AND (k.role = 'lander' OR k.role = 'co_author') THEN 1
                  WHEN gp.person = kp.person THEN 0
                  WHEN gp.person IS NULL OR kp.person IS NULL OR gh.kind IS NULL OR gh.kind <> 'human' THEN 1
                  WHEN al.person IS NOT NULL OR ap.status <> 'approved' THEN 1
                  ELSE 2 END) AS independence
    FROM change_pull_request cp
    JOIN pull_request pr ON pr.id = cp.pull_request
    JOIN approval ap ON ap.pull_request = cp.pull_request
    JOIN change c ON c.id = cp.change
    LEFT JOIN taken_back ON taken_back.approval = ap.id
    LEFT JOIN account_history gh ON gh.id = ap.approver
          AND gh.valid_from <= COALESCE(ap.approved_at, c.merged_at) AND gh.valid_to > COALESCE(ap.approved_at, c.merged_at)
    LEFT JOIN account_person gp ON gp.account = ap.approver
          AND gp.valid_from <= COALESCE(ap.approved_at, c.merged_at) AND gp.valid_to > COALESCE(ap.approved_at, c.merged_at)
    LEFT JOIN contributor k ON k.pull_request = cp.pull_request
    LEFT JOIN account_person kp ON kp.account = k.account AND kp.valid_from <= c.merged_at AND kp.valid_to > c.merged_at
    LEFT JOIN person_alike al ON al.person = gp.person AND al.other_person = kp.person
   WHERE (ap.status = 'approved' OR ap.status = 'acknowledged' OR ap.status = 'unknown')
     AND c.merged_at >= $from AND c.merged_at < $to
   GROUP BY cp.change, ap.id
),
giver AS (
  -- Per person, their best approval. A written standing approval of a class counts as a person's, once its
  -- conditions were verified for this change.
  SELECT o.change AS change, o.giver AS giver, min(o.grade) AS grade,
         max(o.independence) AS named,
         max(CASE WHEN o.in_force = 0 OR o.independence = 0 THEN 0
                  WHEN o.in_force = 1 THEN 1
                  WHEN o.independence = 1 THEN 2
                  ELSE 3 END) AS worth
    FROM opinion o
   GROUP BY o.change, o.giver
),
tally AS (
  SELECT g.change AS change, min(g.grade) AS grade, max(g.named) AS named,
         count(*) FILTER (WHERE g.worth = 3) AS sure,
         count(*) FILTER (WHERE g.worth >= 2) AS likely,
         count(*) FILTER (WHERE g.worth >= 1) AS possible
    FROM giver g
   GROUP BY g.change
),
standing AS (
  SELECT s.change AS change,
         max(CASE WHEN s.conditions_met = 0 OR s.approved_at > c.merged_at THEN 0
                  WHEN s.conditions_met = 1 AND s.approved_at <= c.merged_at AND p.person IS NOT NULL AND h.kind = 'human'
                  THEN 2
                  ELSE 1 END) AS worth
    FROM standing_approval s
    JOIN change c ON c.id = s.change
    LEFT JOIN account_history h ON h.id = s.approved_by AND h.valid_from <= s.approved_at AND h.valid_to > s.approved_at
    LEFT JOIN account_person p ON p.account = s.approved_by AND p.valid_from <= s.approved_at AND p.valid_to > s.approved_at
   GROUP BY s.change
)
SELECT c.id AS item,
       c.label AS label,
       c.merged_at AS occurred_at,
       c.entry AS entry,
       CASE WHEN t.grade < c.grade THEN t.grade ELSE c.grade END AS grade,
       CASE WHEN e.emergency = 1 THEN 'not_applicable'
            WHEN s.worth = 2 OR t.named = 2 THEN 'pass'
            WHEN s.worth = 1 OR t.named = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS a,
       CASE WHEN e.emergency = 1 THEN 'not_applicable'
            WHEN s.worth = 2 OR t.sure >= $approvals THEN 'pass'
            WHEN s.worth = 1 OR t.likely >= $approvals THEN 'needs_judgement'
            WHEN t.possible >= $approvals THEN 'no_evidence'
            ELSE 'deviation' END AS b
  FROM change c
  LEFT JOIN tally t ON t.change = c.id
  LEFT JOIN standing s ON s.change = c.id
  LEFT JOIN (SELECT em.change AS change, 1 AS emergency FROM emergency_change em GROUP BY em.change) e ON e.change = c.id
 WHERE c.merged_at >= $from AND c.merged_at < $to AND c.in_scope = 1
