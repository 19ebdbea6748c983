WITH open AS (
  -- The last instant at which each was open in the period; of what nobody says whether or when it was closed, the period's.
  SELECT d.id AS id, d.label AS label, d.entry AS entry, d.grade AS grade, d.found_at AS found_at, d.owner AS owner, d.due_at AS due_at, d.accepted_by AS accepted_by,
         CASE WHEN d.closed IS NULL OR d.closed = 1 AND d.closed_at IS NULL THEN 1 ELSE 0 END AS unsure,
         CASE WHEN d.closed = 1 AND d.closed_at <= $as_of THEN d.closed_at END AS closed_at,
         CASE WHEN d.closed = 1 AND d.closed_at <= $as_of THEN d.closed_at - 1 ELSE $as_of END AS last_at
    FROM deficiency d
   WHERE d.in_scope = 1 AND d.found_at <= $as_of
     AND (d.closed = 0 OR d.closed IS NULL OR d.closed_at IS NULL OR d.closed_at > $from)
),
kind AS (
  -- What an account is, also after it ended.
  SELECT h.id AS id, max(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 1 ELSE 0 END) AS machine, min(CASE WHEN h.kind = 'human' THEN 1 ELSE 0 END) AS human
    FROM account_history h
   GROUP BY h.id
),
owner AS (
  -- Whether its owner works here: 2 they do, 1 nobody can say, 0 they do not. A machine works nowhere.
  SELECT o.id AS id, min(op.person) AS person,
         max(CASE WHEN k.machine = 1 THEN 0
                  WHEN op.person IS NULL OR k.human IS NULL OR k.human = 0 THEN 1
                  WHEN e.started_at > o.last_at OR e.ended_at <= o.last_at OR e.id IS NULL THEN 0
                  WHEN e.started_at <= o.last_at AND e.ended_at > o.last_at THEN 2
                  ELSE 1 END) AS worth
    FROM open o
    LEFT JOIN kind k ON k.id = o.owner
    LEFT JOIN account_person op ON op.account = o.owner AND op.valid_from <= o.last_at AND op.valid_to > o.last_at
    LEFT JOIN account_person ep ON ep.person = op.person AND ep.valid_from <= o.last_at AND ep.valid_to > o.last_at
    LEFT JOIN employment e ON e.account = ep.account
   WHERE o.owner IS NOT NULL
   GROUP BY o.id
),
look AS (
  -- Second looks that were, or may have been, before it was closed.
  SELECT o.id AS id, o.closed_at AS closed_at, r.done_at AS done_at, r.passed AS passed, r.grade AS grade,
         CASE WHEN k.machine = 1 THEN 0 WHEN k.human = 1 THEN 2 ELSE 1 END AS who
    FROM open o
    JOIN deficiency_retest r ON r.deficiency = o.id AND (r.done_at IS NULL OR r.done_at >= o.found_at AND r.done_at <= o.closed_at)
    LEFT JOIN kind k ON k.id = r.done_by
   WHERE o.closed_at IS NOT NULL
),
failed AS (
  -- The last instant at which it was found as it had been, whoever looked; and the last at which it may have been.
  SELECT l.id AS id, max(CASE WHEN l.passed = 0 THEN l.done_at END) AS failed_at,
         max(CASE WHEN l.passed = 0 AND l.done_at IS NULL OR l.passed IS NULL THEN COALESCE(l.done_at, l.closed_at) END) AS perhaps_at
    FROM look l
   GROUP BY l.id
),
retested AS (
  -- The best second look: 3 it was put right, 2 a person has to say, 1 nobody can say, 0 none.
  SELECT l.id AS id, min(CASE WHEN l.passed = 1 THEN l.grade END) AS grade,
         max(CASE WHEN l.who = 0 OR l.passed = 0 OR l.done_at <= f.failed_at THEN 0
                  WHEN l.done_at IS NULL OR l.passed IS NULL OR l.done_at <= f.perhaps_at THEN 1
                  WHEN l.who = 1 THEN 2
                  ELSE 3 END) AS worth
    FROM look l
    JOIN failed f ON f.id = l.id
   GROUP BY l.id
),
accepted AS (
  -- Whether somebody other than its owner accepts it: 3 they do, 2 a person has to say, 0 not.
  SELECT o.id AS id,
         min(CASE WHEN k.machine = 1 OR o.accepted_by = o.owner OR ap.person = w.person THEN 0
                  WHEN ap.person IS NULL OR w.person IS NULL OR k.human IS NULL OR k.human = 0 OR al.person IS NOT NULL THEN 2
                  ELSE 3 END) AS worth
    FROM open o
    LEFT JOIN owner w ON w.id = o.id
    LEFT JOIN kind k ON k.id = o.accepted_by
    LEFT JOIN account_person ap ON ap.account = o.accepted_by AND ap.valid_from <= o.last_at AND ap.valid_to > o.last_at
    LEFT JOIN person_alike al ON al.person = ap.person AND al.other_person = w.person
   WHERE o.accepted_by IS NOT NULL
   GROUP BY o.id
)
SELECT o.id AS item,
       o.label AS label,
       $from AS occurred_at,
       o.entry AS entry,
       CASE WHEN r.grade < o.grade THEN r.grade ELSE o.grade END AS grade,
       CASE WHEN o.unsure = 1 THEN 'no_evidence'
            WHEN w.worth = 2 THEN 'pass' WHEN w.worth = 0 THEN 'deviation'
            ELSE 'no_evidence' END AS a,
       CASE WHEN o.due_at > o.found_at + CAST($days AS BIGINT) * 86400000 THEN 'deviation'
            WHEN o.unsure = 1 OR o.due_at IS NULL THEN 'no_evidence'
            WHEN o.closed_at <= o.due_at THEN 'pass'
            WHEN o.closed_at IS NULL AND o.due_at >= $as_of THEN 'not_yet_due'
            ELSE 'deviation' END AS b,
       CASE WHEN o.unsure = 1 THEN 'no_evidence'
            WHEN o.closed_at IS NULL THEN 'not_yet_due'
            WHEN r.worth = 3 OR a.worth = 3 THEN 'pass'
            WHEN r.worth = 2 OR a.worth = 2 THEN 'needs_judgement'
            WHEN r.worth = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS c,
       $from AS a_since,
       $from AS b_since,
       CASE WHEN o.found_at < $from THEN o.found_at ELSE $from END AS c_since
  FROM open o
  LEFT JOIN owner w ON w.id = o.id
  LEFT JOIN retested r ON r.id = o.id
  LEFT JOIN accepted a ON a.id = o.id
