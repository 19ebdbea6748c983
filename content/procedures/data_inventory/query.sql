WITH used AS (
  -- The instant at which each entry is judged: the last of its use in the period; NULL where nobody knows.
  SELECT d.id AS id,
         CASE WHEN d.in_use_from IS NULL OR d.retired IS NULL OR (d.retired = 1 AND d.retired_at IS NULL) THEN NULL
              WHEN d.retired = 1 AND d.retired_at < $to AND d.retired_at <= $cutoff THEN d.retired_at - 1
              WHEN $cutoff < $to THEN $cutoff
              ELSE $to - 1 END AS judged_at
    FROM data_asset d
   WHERE d.in_scope = 1
     AND (d.in_use_from IS NULL OR (d.in_use_from < $to AND d.in_use_from <= $cutoff))
     AND (d.retired = 0 OR d.retired IS NULL OR d.retired_at IS NULL OR d.retired_at > $from)
),
kind AS (
  -- What an account is, also after it ended: its owner's account ends when they leave.
  SELECT h.id AS id, max(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 1 ELSE 0 END) AS machine, min(CASE WHEN h.kind = 'human' THEN 1 ELSE 0 END) AS human
    FROM account_history h
   GROUP BY h.id
),
owner AS (
  -- Whether its owner works here: 2 they do, 1 nobody can say, 0 they do not. A machine works nowhere.
  SELECT d.id AS id,
         max(CASE WHEN h.machine = 1 THEN 0
                  WHEN op.person IS NULL OR h.human IS NULL OR h.human = 0 THEN 1
                  WHEN e.started_at > u.judged_at OR e.ended_at <= u.judged_at OR e.id IS NULL THEN 0
                  WHEN e.started_at <= u.judged_at AND e.ended_at > u.judged_at THEN 2
                  ELSE 1 END) AS worth
    FROM data_asset d
    JOIN used u ON u.id = d.id
    LEFT JOIN kind h ON h.id = d.owner
    LEFT JOIN account_person op ON op.account = d.owner AND op.valid_from <= u.judged_at AND op.valid_to > u.judged_at
    LEFT JOIN account_person ep ON ep.person = op.person AND ep.valid_from <= u.judged_at AND ep.valid_to > u.judged_at
    LEFT JOIN employment e ON e.account = ep.account
   WHERE d.owner IS NOT NULL
   GROUP BY d.id
),
looked AS (
  -- Whether a named person went through it in the time before: 2 one did, 1 a person has to say, 0 none did.
  SELECT v.asset AS id, min(v.grade) AS grade,
         max(CASE WHEN v.done_at > u.judged_at OR v.done_at < u.judged_at - CAST($review_days AS BIGINT) * 86400000
                       OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN v.done_at <= u.judged_at AND h.kind = 'human' THEN 2
                  ELSE 1 END) AS worth
    FROM asset_review v
    JOIN used u ON u.id = v.asset
    LEFT JOIN account_history h ON h.id = v.done_by AND h.valid_from <= v.done_at AND h.valid_to > v.done_at
   GROUP BY v.asset
),
entered AS (
  -- Whether an entry in use names a resource: 2 one does, 1 one may.
  SELECT d.resource AS resource,
         max(CASE WHEN d.retired = 0 THEN 2 WHEN d.retired = 1 AND d.retired_at >= $to THEN 2 WHEN d.retired = 1 AND d.retired_at IS NOT NULL THEN 0 ELSE 1 END) AS worth
    FROM data_asset d
   WHERE d.resource IS NOT NULL
   GROUP BY d.resource
)
SELECT d.id AS item,
       d.label AS label,
       $from AS occurred_at,
       d.entry AS entry,
       CASE WHEN l.grade < d.grade THEN l.grade ELSE d.grade END AS grade,
       CASE WHEN u.judged_at IS NULL THEN 'no_evidence' WHEN d.class = 'none' THEN 'deviation' WHEN d.class IS NULL THEN 'no_evidence' ELSE 'pass' END AS a,
       CASE WHEN u.judged_at IS NULL THEN 'no_evidence'
            -- The inventory may have no such column: silence about a class or an owner is unknown.
            WHEN d.owner IS NULL THEN 'no_evidence'
            WHEN o.worth = 2 THEN 'pass'
            WHEN o.worth = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN u.judged_at IS NULL THEN 'no_evidence'
            WHEN l.worth = 2 THEN 'pass'
            WHEN d.in_use_from > u.judged_at - CAST($review_days AS BIGINT) * 86400000 THEN 'not_yet_due'
            WHEN l.worth = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS c,
       $from AS a_since,
       $from AS b_since,
       COALESCE(u.judged_at, $from) - CAST($review_days AS BIGINT) * 86400000 AS c_since
  FROM data_asset d
  JOIN used u ON u.id = d.id
  LEFT JOIN owner o ON o.id = d.id
  LEFT JOIN looked l ON l.id = d.id
UNION ALL
-- What stores something at a provider and stands nowhere.
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       r.grade AS grade,
       CASE WHEN r.created_at > $as_of - CAST($grace_days AS BIGINT) * 86400000 THEN 'not_yet_due'
            WHEN n.worth = 1 OR r.created_at IS NULL OR r.deleted IS NULL OR (r.deleted = 1 AND r.deleted_at IS NULL) THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       'not_applicable' AS b,
       'not_applicable' AS c,
       $from AS a_since,
       $from AS b_since,
       $from AS c_since
  FROM cloud_resource r
  LEFT JOIN entered n ON n.resource = r.id
 WHERE r.in_scope = 1
   AND r.kind <> 'machine' AND r.kind <> 'network' AND r.kind <> 'snapshot'
   AND (r.created_at IS NULL OR r.created_at <= $as_of)
   AND (r.deleted = 0 OR r.deleted IS NULL OR r.deleted_at IS NULL OR r.deleted_at > $as_of)
   AND (n.worth < 2 OR n.worth IS NULL)
