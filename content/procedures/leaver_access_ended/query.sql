WITH due AS (
  -- Up to when access has to end: some hours after the end, or with the end of a business day.
  SELECT e.id AS employment, e.ended_at + $hours * CAST(3600000 AS BIGINT) AS due_at
    FROM employment e
   WHERE $hours > 0
  UNION ALL
  SELECT e.id AS employment, min(last.ends_at) AS due_at
    FROM employment e
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= e.ended_at AND d.ends_at > e.ended_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > e.ended_at - CAST(25 AS BIGINT) * 3600000
    JOIN calendar_day last ON last.calendar = $calendar AND last.zone = $tz AND last.business_day = 1
          AND last.business_day_number = d.business_day_number + $business_days
          AND last.starts_at >= d.starts_at
          AND last.starts_at <= d.starts_at + (CAST($business_days AS BIGINT) * 3 + 20) * 86400000
   WHERE $hours = 0
   GROUP BY e.id
),
leaver AS (
  SELECT e.id AS employment, e.label AS label, e.entry AS entry, e.grade AS grade, e.ended_at AS ended_at, d.due_at AS due_at,
         -- An entry that two people share is nobody's.
         CASE WHEN min(p.person) = max(p.person) THEN min(p.person) END AS person
    FROM employment e
    LEFT JOIN account_person p ON p.account = e.account AND p.valid_from < COALESCE(e.ended_at, $as_of)
          AND p.valid_to >= COALESCE(e.ended_at, $as_of)
    LEFT JOIN due d ON d.employment = e.id
   WHERE e.in_scope = 1
     AND (e.ended_at >= $from AND e.ended_at < $to OR e.ended_at IS NULL AND COALESCE(e.started_at, $from) < $to)
   GROUP BY e.id, e.label, e.entry, e.grade, e.ended_at, d.due_at
),
pair AS (
  SELECT l.employment AS employment, l.person AS person, l.ended_at AS ended_at, l.due_at AS due_at, s.id AS system,
         min(l.label || ' ' || s.label) AS label, min(l.entry) AS entry,
         min(CASE WHEN s.grade < l.grade THEN s.grade ELSE l.grade END) AS grade,
         -- When the system itself went out of use; NULL when nobody knows.
         CASE WHEN max(CASE WHEN s.valid_to IS NULL THEN 1 ELSE 0 END) = 1 THEN NULL ELSE max(s.valid_to) END AS closed_at
    FROM leaver l
    JOIN system_history s ON s.valid_from <= COALESCE(l.ended_at, $as_of)
          AND (s.valid_to > COALESCE(l.ended_at, $as_of) OR s.valid_to IS NULL)
   WHERE s.in_scope = 1
   GROUP BY l.employment, l.person, l.ended_at, l.due_at, s.id
),
again AS (
  -- Other employments of the same person, which may explain access after this one.
  SELECT l.employment AS employment, l.due_at AS due_at, o.started_at AS started_at, o.ended_at AS ended_at
    FROM leaver l
    JOIN account_person p ON p.person = l.person
    JOIN employment o ON o.account = p.account AND o.id <> l.employment
          AND p.valid_from <= COALESCE(o.started_at, $cutoff) AND p.valid_to > COALESCE(o.started_at, p.valid_from)
),
back AS (
  -- Whether the person was back, or had never gone, when the limit was reached: 2 yes, 1 nobody can say, 0 no.
  SELECT a.employment AS employment,
         max(CASE WHEN a.started_at > a.due_at OR a.ended_at <= a.due_at THEN 0
                  WHEN a.started_at <= a.due_at AND a.ended_at > a.due_at THEN 2
                  ELSE 1 END) AS worth
    FROM again a
   GROUP BY a.employment
),
whose AS (
  -- Whose accounts are the leaver's, and whose may be.
  SELECT l.person AS person, l.person AS holder, 0 AS alike FROM leaver l WHERE l.person IS NOT NULL
  UNION
  SELECT l.person AS person, al.person AS holder, 1 AS alike
    FROM leaver l JOIN person_alike al ON al.other_person = l.person
),
entrance AS (
  -- What lets an account of theirs into a system: while the account is there and the grant holds, whether or not it is listed.
  SELECT g.account AS account, g.system AS system, g.grade AS grade, h.kind AS kind,
         CASE WHEN h.valid_from > g.valid_from THEN h.valid_from ELSE g.valid_from END AS starts_at,
         CASE WHEN h.valid_to < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to
              WHEN h.id IS NOT NULL AND h.valid_to IS NULL THEN NULL
              ELSE g.valid_to END AS ends_at
    FROM (SELECT DISTINCT k.account AS account FROM whose x JOIN account_person k ON k.person = x.holder) c
    JOIN access_grant_history g ON g.account = c.account
    LEFT JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
          AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
   WHERE h.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM account_history k WHERE k.id = g.account)
),
open_to_anybody AS (
  -- The same of accounts while they are tied to nobody.
  SELECT n.account AS account, n.system AS system, n.grade AS grade, n.kind AS kind, n.starts_at AS starts_at, n.ends_at AS ends_at
    FROM (SELECT g.account AS account, g.system AS system, g.grade AS grade, h.kind AS kind,
                 CASE WHEN h.valid_from > g.valid_from THEN h.valid_from ELSE g.valid_from END AS starts_at,
                 CASE WHEN h.valid_to < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to
                      WHEN h.id IS NOT NULL AND h.valid_to IS NULL THEN NULL
                      ELSE g.valid_to END AS ends_at
            FROM access_grant_history g
            LEFT JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
                  AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
           WHERE h.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM account_history k WHERE k.id = g.account)) n
    LEFT JOIN account_person k ON k.account = n.account AND k.valid_to > n.starts_at
          AND k.valid_from < COALESCE(n.ends_at, 253402300799999)
   WHERE k.account IS NULL AND (n.kind IS NULL OR n.kind <> 'service' AND n.kind <> 'bot')
),
held AS (
  SELECT p.employment AS employment, p.system AS system, p.person AS person, p.ended_at AS ended_at, p.due_at AS due_at,
         p.closed_at AS closed_at, n.account AS account, n.grade AS grade, n.kind AS kind, k.person AS holder, x.alike AS alike,
         CASE WHEN k.valid_from > n.starts_at THEN k.valid_from ELSE n.starts_at END AS starts_at,
         n.ends_at AS opened_to, k.valid_to AS held_to
    -- In this order: from a leaver to their accounts, and not from every account to every leaver of its system.
    FROM pair p
    CROSS JOIN whose x
    CROSS JOIN account_person k
    CROSS JOIN entrance n
   WHERE x.person = p.person AND k.person = x.holder AND n.account = k.account AND n.system = p.system
     AND k.valid_to > n.starts_at AND k.valid_from < COALESCE(n.ends_at, 253402300799999)
  UNION ALL
  SELECT p.employment AS employment, p.system AS system, p.person AS person, p.ended_at AS ended_at, p.due_at AS due_at,
         p.closed_at AS closed_at, n.account AS account, n.grade AS grade, n.kind AS kind, NULL AS holder, 0 AS alike,
         n.starts_at AS starts_at, n.ends_at AS opened_to, NULL AS held_to
    FROM open_to_anybody n
    CROSS JOIN pair p
   WHERE n.system = p.system
),
way AS (
  SELECT h.employment AS employment, h.system AS system, h.person AS person, h.ended_at AS ended_at, h.due_at AS due_at,
         h.account AS account, h.grade AS grade, h.kind AS kind, h.holder AS holder, h.alike AS alike, h.starts_at AS starts_at,
         -- Where the system closed, so did the way in.
         CASE WHEN h.opened_to <= h.closed_at THEN h.opened_to WHEN h.closed_at < h.opened_to THEN h.closed_at
              WHEN h.opened_to <= h.due_at THEN h.opened_to WHEN h.closed_at <= h.due_at THEN h.closed_at
              ELSE NULL END AS ends_at,
         h.held_to AS held_to
    FROM held h
),
own AS (
  -- The leaver's, and what nobody is tied to or may be theirs, as far as it is part of this leaving.
  SELECT w.employment AS employment, w.system AS system, w.account AS account, w.grade AS grade, w.kind AS kind,
         w.person AS person, w.holder AS holder, w.due_at AS due_at, w.starts_at AS starts_at, w.ends_at AS ends_at,
         w.held_to AS held_to
    FROM way w
   WHERE (w.holder = w.person
          OR (w.holder IS NULL OR w.alike = 1) AND w.starts_at <= w.due_at AND (w.ends_at > w.due_at OR w.ends_at IS NULL))
     AND (w.held_to IS NULL OR w.held_to > COALESCE(w.ended_at, $from) - $days_before * CAST(86400000 AS BIGINT))
     AND (w.ends_at IS NULL OR w.ends_at > COALESCE(w.ended_at, $from) - $days_before * CAST(86400000 AS BIGINT))
     AND w.starts_at <= $cutoff
),
way_again AS (
  -- Opened after the limit: 2 in another employment, 1 nobody can say, 0 in none.
  SELECT o.employment AS employment, o.system AS system, o.account AS account, o.starts_at AS starts_at,
         max(CASE WHEN a.started_at > o.starts_at OR a.ended_at <= o.starts_at THEN 0
                  WHEN a.started_at <= o.starts_at AND a.ended_at > o.starts_at THEN 2
                  ELSE 1 END) AS worth
    FROM own o
    JOIN again a ON a.employment = o.employment
   WHERE o.starts_at > o.due_at
   GROUP BY o.employment, o.system, o.account, o.starts_at
),
login AS (
  -- The worst login of a pair: 0 beyond the limit, 1 nobody can say, 2 for a person to judge, 3 ended in time.
  SELECT o.employment AS employment, o.system AS system, min(o.grade) AS grade,
         min(CASE WHEN o.due_at IS NULL THEN 1
                  WHEN o.holder IS NULL OR o.holder <> o.person THEN 2
                  WHEN o.starts_at > o.due_at THEN
                       CASE WHEN g.worth = 2 THEN 3 WHEN g.worth = 1 THEN 1 ELSE 0 END
                  WHEN o.ends_at <= o.due_at THEN 3
                  WHEN o.held_to <= o.due_at THEN 2
                  WHEN o.ends_at IS NULL THEN 1
                  WHEN o.kind = 'bot' OR o.kind = 'service' OR o.kind = 'shared' OR o.kind = 'break_glass' THEN 2
                  ELSE 0 END) AS worth
    FROM own o
    LEFT JOIN way_again g ON g.employment = o.employment AND g.system = o.system AND g.account = o.account
         AND g.starts_at = o.starts_at
   GROUP BY o.employment, o.system
),
mine AS (
  SELECT o.employment AS employment, o.system AS system, o.account AS account, o.due_at AS due_at
    FROM own o
   WHERE o.holder = o.person
   GROUP BY o.employment, o.system, o.account, o.due_at
),
token AS (
  SELECT m.employment AS employment, m.system AS system, m.due_at AS due_at, c.id AS credential,
         c.grade AS grade, c.created_at AS created_at, c.last_used_at AS last_used_at,
         CASE WHEN c.expires_at <= m.due_at OR c.revoked_at <= m.due_at THEN 2
              WHEN c.expires_at > m.due_at AND c.revoked_at > m.due_at THEN 0
              ELSE 1 END AS ended,
         count(a.employment) AS others,
         max(CASE WHEN a.employment IS NULL OR a.started_at > c.created_at OR a.ended_at <= c.created_at THEN 0
                  WHEN a.started_at <= c.created_at AND a.ended_at > c.created_at THEN 2 ELSE 1 END) AS made_again,
         max(CASE WHEN a.employment IS NULL OR a.started_at > c.last_used_at OR a.ended_at <= c.last_used_at THEN 0
                  WHEN a.started_at <= c.last_used_at AND a.ended_at > c.last_used_at THEN 2 ELSE 1 END) AS used_again
    FROM mine m
    JOIN credential c ON c.account = m.account
    LEFT JOIN again a ON a.employment = m.employment
   GROUP BY m.employment, m.system, m.due_at, c.id, c.grade, c.created_at, c.last_used_at, c.expires_at, c.revoked_at
),
tokens AS (
  SELECT t.employment AS employment, t.system AS system, min(t.grade) AS grade,
         min(CASE WHEN t.due_at IS NULL THEN 1
                  WHEN t.ended = 2 THEN 3
                  WHEN t.created_at > t.due_at AND t.made_again = 2 THEN 3
                  WHEN t.created_at > t.due_at AND t.made_again = 1 THEN 1
                  WHEN t.created_at IS NULL AND t.others > 0 THEN 1
                  WHEN t.ended = 1 THEN 1
                  ELSE 0 END) AS ended,
         -- 9: nothing of it outlived the limit.
         min(CASE WHEN t.due_at IS NULL THEN 1
                  WHEN t.last_used_at > t.due_at AND t.used_again = 2 THEN 3
                  WHEN t.last_used_at > t.due_at AND t.used_again = 1 THEN 1
                  WHEN t.last_used_at > t.due_at THEN 0
                  WHEN t.ended = 2 THEN 9
                  WHEN t.last_used_at <= t.due_at THEN 3
                  ELSE 1 END) AS used
    FROM token t
   GROUP BY t.employment, t.system
),
said AS (
  SELECT p.employment AS employment, p.system AS system, p.label AS label, p.entry AS entry, p.person AS person,
         p.due_at AS due_at, COALESCE(p.ended_at, $from) AS occurred_at, p.grade AS grade, l.grade AS login_grade,
         t.grade AS token_grade, l.worth AS login, COALESCE(b.worth, 0) AS back, t.ended AS ended, t.used AS used,
         CASE WHEN p.due_at > $cutoff THEN $cutoff ELSE COALESCE(p.due_at, $cutoff) END AS until
    FROM pair p
    LEFT JOIN login l ON l.employment = p.employment AND l.system = p.system
    LEFT JOIN tokens t ON t.employment = p.employment AND t.system = p.system
    LEFT JOIN back b ON b.employment = p.employment
)
SELECT s.employment AS item,
       s.label AS label,
       s.occurred_at AS occurred_at,
       s.entry AS entry,
       CASE WHEN s.token_grade < s.grade AND s.token_grade < COALESCE(s.login_grade, s.grade) THEN s.token_grade
            WHEN s.login_grade < s.grade THEN s.login_grade
            ELSE s.grade END AS grade,
       CASE WHEN s.person IS NULL THEN 'no_evidence'
            WHEN s.login IS NULL OR s.back = 2 THEN 'not_applicable'
            WHEN s.login = 3 THEN 'pass'
            WHEN s.due_at > $cutoff THEN 'not_yet_due'
            WHEN s.login = 1 OR s.back = 1 THEN 'no_evidence'
            WHEN s.login = 2 THEN 'needs_judgement'
            ELSE 'deviation' END AS a,
       CASE WHEN s.person IS NULL THEN 'no_evidence'
            WHEN s.ended IS NULL OR s.back = 2 THEN 'not_applicable'
            WHEN s.ended = 3 THEN 'pass'
            WHEN s.due_at > $cutoff THEN 'not_yet_due'
            WHEN s.ended = 1 OR s.back = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN s.person IS NULL THEN 'no_evidence'
            WHEN s.used IS NULL OR s.back = 2 OR s.used = 9 THEN 'not_applicable'
            WHEN s.due_at > $cutoff THEN 'not_yet_due'
            WHEN s.used = 3 THEN 'pass'
            WHEN s.used = 1 OR s.back = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS c,
       s.until AS a_until,
       s.until AS b_until,
       s.until AS c_until,
       s.system AS scope
  FROM said s
