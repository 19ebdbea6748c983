WITH provider AS (
  SELECT s.id AS system, min(s.label) AS label FROM system_history s WHERE s.identity_provider = 1 GROUP BY s.id
),
entrance AS (
  -- What lets an account in: while the account is there and the grant holds.
  SELECT g.account AS account, min(v.label) AS label, min(g.grade) AS grade, min(g.entry) AS entry, min(h.kind) AS kind, max(h.kind) AS other_kind,
         max(g.in_scope) AS in_scope,
         max(CASE WHEN g.valid_to IS NULL AND (h.valid_to IS NULL OR h.valid_to = 253402300799999) THEN 1
                  WHEN h.id IS NOT NULL AND h.valid_to IS NULL AND g.valid_to = 253402300799999 THEN 1
                  ELSE 0 END) AS unknown,
         max(CASE WHEN h.valid_to < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to
                  ELSE g.valid_to END) AS ended_at
    FROM access_grant_history g
    JOIN provider v ON v.system = g.system
    LEFT JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
         AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
   WHERE g.valid_from <= $cutoff
   GROUP BY g.account
),
closed AS (
  SELECT e.account AS account, e.label AS label, e.grade AS grade, e.entry AS entry, e.ended_at AS ended_at,
         CASE WHEN e.kind = 'human' AND e.other_kind = 'human' THEN 1 ELSE 0 END AS human,
         min(p.person) AS person, max(p.person) AS other
    FROM entrance e
    LEFT JOIN account_person p ON p.account = e.account AND p.valid_from < e.ended_at AND p.valid_to >= e.ended_at
   WHERE e.in_scope = 1 AND e.unknown = 0 AND e.ended_at >= $from AND e.ended_at < $to
     AND (e.kind IS NULL OR e.kind = 'human' OR e.kind = 'unknown' OR e.other_kind = 'human' OR e.other_kind = 'unknown')
   GROUP BY e.account, e.label, e.grade, e.entry, e.ended_at, e.kind, e.other_kind
),
elsewhere AS (
  -- Whether the same person has another login that outlasts it.
  SELECT c.account AS account, max(CASE WHEN e.unknown = 1 OR e.ended_at > c.ended_at THEN 1 ELSE 0 END) AS lasts
    FROM closed c
    JOIN account_person p ON p.person = c.person AND p.account <> c.account AND p.valid_to > c.ended_at
    JOIN entrance e ON e.account = p.account
   GROUP BY c.account
),
roster AS (
  SELECT p.person AS person, e.started_at AS started_at, e.ended_at AS ended_at, e.grade AS grade
    FROM employment e
    JOIN account_person p ON p.account = e.account AND p.valid_from < COALESCE(e.ended_at, 253402300799999)
         AND p.valid_to > COALESCE(e.started_at, p.valid_from)
),
stood AS (
  -- 4 left, 3 nobody can say, 2 works on, 1 perhaps the same person, or came later.
  SELECT c.account AS account, r.grade AS grade,
         CASE WHEN r.ended_at <= c.ended_at + $days * CAST(86400000 AS BIGINT) AND r.started_at <= c.ended_at THEN 4
              WHEN r.ended_at IS NULL OR r.started_at IS NULL THEN 3
              -- Who comes later, or comes back, was not at work when it ended.
              WHEN r.started_at > c.ended_at THEN 1
              ELSE 2 END AS worth
    FROM closed c
    JOIN roster r ON r.person = c.person
  UNION ALL
  SELECT c.account AS account, r.grade AS grade, 1 AS worth
    FROM closed c
    JOIN person_alike al ON al.person = c.person
    JOIN roster r ON r.person = al.other_person
),
known AS (
  SELECT s.account AS account, max(CASE WHEN s.worth = 4 THEN 1 ELSE 0 END) AS gone, max(CASE WHEN s.worth = 3 THEN 1 ELSE 0 END) AS vague,
         max(CASE WHEN s.worth = 2 THEN 1 ELSE 0 END) AS stays, max(s.worth) AS worth, min(s.grade) AS grade
    FROM stood s
   GROUP BY s.account
)
SELECT c.account AS item,
       c.label AS label,
       c.ended_at AS occurred_at,
       c.entry AS entry,
       CASE WHEN k.grade < c.grade THEN k.grade ELSE c.grade END AS grade,
       CASE WHEN c.person IS NULL THEN 'no_evidence'
            WHEN c.person <> c.other THEN 'needs_judgement'
            WHEN c.human = 0 AND k.worth IS NULL THEN 'no_evidence'
            WHEN o.lasts = 1 THEN 'not_applicable'
            WHEN k.stays = 1 AND c.ended_at + $days * CAST(86400000 AS BIGINT) > $cutoff THEN 'not_yet_due'
            WHEN k.stays = 1 THEN 'needs_judgement'
            WHEN k.vague = 1 THEN 'no_evidence'
            WHEN k.gone = 1 THEN 'pass'
            WHEN k.worth = 1 THEN 'needs_judgement'
            WHEN c.ended_at + $days * CAST(86400000 AS BIGINT) > $cutoff THEN 'not_yet_due'
            ELSE 'deviation' END AS a,
       c.ended_at + $days * CAST(86400000 AS BIGINT) AS a_until
  FROM closed c
  LEFT JOIN elsewhere o ON o.account = c.account
  LEFT JOIN known k ON k.account = c.account
  LEFT JOIN (SELECT h.id AS account, min(h.in_scope) AS in_scope FROM account_history h GROUP BY h.id) s ON s.account = c.account
 WHERE COALESCE(s.in_scope, 1) = 1
