WITH open AS (
  -- The part of the period in which each risk was open, and the instant at which it is judged; NULL where nobody knows.
  SELECT r.id AS id,
         CASE r.level WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 END AS rank,
         CASE WHEN r.identified_at > $from THEN r.identified_at WHEN r.identified_at <= $from THEN $from END AS starts_at,
         CASE WHEN r.closed IS NULL OR (r.closed = 1 AND r.closed_at IS NULL) THEN NULL
              WHEN r.closed = 1 AND r.closed_at < $to AND r.closed_at <= $cutoff THEN r.closed_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM risk r
   WHERE r.in_scope = 1
     AND (r.identified_at IS NULL OR (r.identified_at < $to AND r.identified_at <= $cutoff))
     AND (r.closed = 0 OR r.closed IS NULL OR r.closed_at IS NULL OR r.closed_at > $from)
     AND (r.level IS NULL
          OR CASE r.level WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END
             > CASE $tolerance WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 ELSE 0 END)
),
kind AS (
  -- What an account is, also after it ended: its owner's account ends when they leave.
  SELECT h.id AS id, max(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 1 ELSE 0 END) AS machine, min(CASE WHEN h.kind = 'human' THEN 1 ELSE 0 END) AS human
    FROM account_history h
   GROUP BY h.id
),
owner AS (
  -- Whether its owner works here: 2 they do, 1 nobody can say, 0 they do not. A machine works nowhere.
  SELECT r.id AS id,
         max(CASE WHEN k.machine = 1 THEN 0
                  WHEN op.person IS NULL OR k.human IS NULL OR k.human = 0 THEN 1
                  WHEN e.started_at > u.ends_at - 1 OR e.ended_at <= u.ends_at - 1 OR e.id IS NULL THEN 0
                  WHEN e.started_at <= u.ends_at - 1 AND e.ended_at > u.ends_at - 1 THEN 2
                  ELSE 1 END) AS worth
    FROM risk r
    JOIN open u ON u.id = r.id
    LEFT JOIN kind k ON k.id = r.owner
    LEFT JOIN account_person op ON op.account = r.owner AND op.valid_from <= u.ends_at - 1 AND op.valid_to > u.ends_at - 1
    LEFT JOIN account_person ep ON ep.person = op.person AND ep.valid_from <= u.ends_at - 1 AND ep.valid_to > u.ends_at - 1
    LEFT JOIN employment e ON e.account = ep.account
   WHERE r.owner IS NOT NULL
   GROUP BY r.id
),
report AS (
  -- 2 by a person, 1 nobody can say, 0 by a machine.
  SELECT v.id AS id, v.risk AS risk, v.reported_at AS reported_at, v.grade AS grade,
         CASE WHEN k.machine = 1 THEN 0 WHEN k.human = 1 AND v.reported_at IS NOT NULL THEN 2 ELSE 1 END AS worth
    FROM risk_report v
    LEFT JOIN kind k ON k.id = v.reported_by
   WHERE v.reported_at <= $cutoff OR v.reported_at IS NULL
),
span AS (
  -- For how long each report is good, and how long a new risk has until its first: for certain (1), and as far as it may be (0).
  SELECT 1 AS certain, r.id AS risk, r.identified_at AS starts_at, r.identified_at + CAST($report_days AS BIGINT) * 86400000 + 1 AS ends_at FROM risk r
  UNION
  SELECT 0 AS certain, r.id AS risk, r.identified_at AS starts_at, r.identified_at + CAST($report_days AS BIGINT) * 86400000 + 1 AS ends_at FROM risk r
  UNION
  SELECT 1 AS certain, v.risk AS risk, v.reported_at AS starts_at, v.reported_at + CAST($report_days AS BIGINT) * 86400000 + 1 AS ends_at
    FROM report v
   WHERE v.worth = 2
  UNION
  SELECT 0 AS certain, v.risk AS risk, COALESCE(v.reported_at, 0) AS starts_at,
         COALESCE(v.reported_at + CAST($report_days AS BIGINT) * 86400000 + 1, 253402300799999) AS ends_at
    FROM report v
   WHERE v.worth >= 1
),
cut AS (
  SELECT s.certain AS certain, u.id AS risk,
         CASE WHEN s.starts_at < u.starts_at THEN u.starts_at ELSE s.starts_at END AS starts_at,
         CASE WHEN s.ends_at > u.ends_at THEN u.ends_at ELSE s.ends_at END AS ends_at
    FROM span s
    JOIN open u ON u.id = s.risk
   WHERE s.starts_at < u.ends_at AND s.ends_at > u.starts_at
),
held AS (
  SELECT c.certain AS certain, c.risk AS risk, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.certain, c.risk ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
told AS (
  SELECT l.risk AS risk, CAST(sum(CASE WHEN l.certain = 1 THEN l.ms ELSE 0 END) AS BIGINT) AS told_ms,
         CAST(sum(CASE WHEN l.certain = 0 THEN l.ms ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT h.certain AS certain, h.risk AS risk,
                 CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                      WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                      ELSE 0 END AS ms
            FROM held h) l
   GROUP BY l.risk
),
accepted AS (
  -- Whether a named person accepts it at that instant: 2 one does, 1 a person has to say, 0 none does; NULL where nobody says who.
  SELECT r.id AS id,
         CASE WHEN k.machine = 1 OR r.accepted_until <= u.ends_at - 1 THEN 0
              WHEN r.accepted_until > u.ends_at - 1 AND k.human = 1 THEN 2
              WHEN r.accepted_by IS NOT NULL THEN 1 END AS worth
    FROM risk r
    JOIN open u ON u.id = r.id
    LEFT JOIN kind k ON k.id = r.accepted_by
)
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       CASE WHEN g.grade < r.grade THEN g.grade ELSE r.grade END AS grade,
       CASE WHEN u.rank IS NULL OR u.starts_at IS NULL OR u.ends_at IS NULL THEN 'no_evidence'
            -- The register may have no such column: silence about an owner, a treatment, a date is unknown.
            WHEN r.owner IS NULL THEN 'no_evidence'
            WHEN o.worth = 2 THEN 'pass'
            WHEN o.worth = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN u.rank IS NULL OR u.starts_at IS NULL OR u.ends_at IS NULL THEN 'no_evidence'
            WHEN r.treatment IN ('mitigate', 'transfer', 'avoid') AND r.due_at >= u.ends_at - 1 THEN 'pass'
            WHEN c.worth = 2 THEN 'pass'
            WHEN c.worth = 1 THEN 'needs_judgement'
            WHEN r.treatment IS NULL THEN 'no_evidence'
            WHEN r.treatment = 'accept' AND c.worth IS NULL THEN 'no_evidence'
            WHEN r.treatment IN ('mitigate', 'transfer', 'avoid') AND r.due_at IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN u.rank IS NULL OR u.starts_at IS NULL OR u.ends_at IS NULL THEN 'no_evidence'
            WHEN t.told_ms = u.ends_at - u.starts_at THEN 'pass'
            WHEN t.perhaps_ms = u.ends_at - u.starts_at THEN 'needs_judgement'
            ELSE 'deviation' END AS c,
       $from AS a_since,
       $from AS b_since,
       COALESCE(u.starts_at, $from) - CAST($report_days AS BIGINT) * 86400000 AS c_since
  FROM risk r
  JOIN open u ON u.id = r.id
  JOIN accepted c ON c.id = r.id
  LEFT JOIN owner o ON o.id = r.id
  LEFT JOIN told t ON t.risk = r.id
  LEFT JOIN (SELECT v.risk AS risk, min(v.grade) AS grade FROM report v GROUP BY v.risk) g ON g.risk = r.id
