WITH due AS (
  -- The review is due with the end of the n-th business day after the day of the deployment.
  SELECT e.id AS emergency, min(last.ends_at) AS due_at
    FROM emergency_change e
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= e.deployed_at AND d.ends_at > e.deployed_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > e.deployed_at - CAST(25 AS BIGINT) * 3600000
    JOIN calendar_day last ON last.calendar = $calendar AND last.zone = $tz AND last.business_day = 1
          AND last.business_day_number = d.business_day_number + $review_business_days
          -- Among any twenty days and three more a business day there are enough of them.
          AND last.starts_at >= d.starts_at
          AND last.starts_at <= d.starts_at + (CAST($review_business_days AS BIGINT) * 3 + 20) * 86400000
   GROUP BY e.id
),
pressed AS (
  -- Merges that the code host made itself: their author only pressed the button, and wrote nothing of what they brought.
  SELECT c.id AS change
    FROM change c
    JOIN change_pull_request cp ON cp.change = c.id
   WHERE c.parents > 1 AND c.committer <> c.author
   GROUP BY c.id
),
involved AS (
  -- Everybody who wrote or deployed it; NULL where somebody is unknown.
  SELECT e.id AS emergency, e.deployed_by AS account FROM emergency_change e
  UNION
  SELECT e.id AS emergency, c.author AS account
    FROM emergency_change e
    LEFT JOIN change c ON c.id = e.change
    LEFT JOIN pressed p ON p.change = e.change
   WHERE p.change IS NULL
  UNION
  SELECT e.id AS emergency, k.account AS account
    FROM emergency_change e
    JOIN change_pull_request cp ON cp.change = e.change
    JOIN contributor k ON k.pull_request = cp.pull_request
   WHERE k.role <> 'lander'
),
reviewer AS (
  SELECT i.emergency AS emergency,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' OR rp.person = ip.person THEN 0
                  WHEN rp.person IS NULL OR ip.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  WHEN al.person IS NOT NULL THEN 1
                  ELSE 2 END) AS independence
    FROM involved i
    JOIN emergency_change e ON e.id = i.emergency
    LEFT JOIN account_history h ON h.id = e.reviewed_by AND h.valid_from <= e.reviewed_at AND h.valid_to > e.reviewed_at
    LEFT JOIN account_person rp ON rp.account = e.reviewed_by AND rp.valid_from <= e.reviewed_at AND rp.valid_to > e.reviewed_at
    LEFT JOIN account_person ip ON ip.account = i.account AND ip.valid_from <= e.deployed_at AND ip.valid_to > e.deployed_at
    LEFT JOIN person_alike al ON al.person = rp.person AND al.other_person = ip.person
   GROUP BY i.emergency
)
SELECT e.id AS item,
       e.label AS label,
       e.deployed_at AS occurred_at,
       e.entry AS entry,
       e.grade AS grade,
       CASE WHEN e.incident IS NOT NULL THEN 'pass' ELSE 'deviation' END AS a,
       CASE WHEN d.due_at IS NULL THEN 'no_evidence'
            WHEN e.reviewed_at >= e.deployed_at AND e.reviewed_at < d.due_at AND e.reviewed_at <= $cutoff THEN 'pass'
            WHEN d.due_at - 1 > $cutoff THEN 'not_yet_due'
            ELSE 'deviation' END AS b,
       CASE WHEN e.reviewed_at IS NULL OR e.reviewed_at > $cutoff THEN
                 CASE WHEN d.due_at IS NULL THEN 'no_evidence' WHEN d.due_at - 1 > $cutoff THEN 'not_yet_due' ELSE 'deviation' END
            WHEN r.independence = 2 THEN 'pass'
            WHEN r.independence = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS c
  FROM emergency_change e
  LEFT JOIN due d ON d.emergency = e.id
  LEFT JOIN reviewer r ON r.emergency = e.id
 WHERE e.deployed_at >= $from AND e.deployed_at < $to AND e.in_scope = 1
