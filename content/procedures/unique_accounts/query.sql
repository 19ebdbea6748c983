WITH span AS (
  -- What lets an account into a system in the period: while the account is there and the grant holds. What ends nobody knows
  -- when may last.
  SELECT g.account AS account, h.kind AS kind,
         CASE WHEN h.grade < g.grade THEN h.grade ELSE g.grade END AS grade,
         CASE WHEN h.valid_from > g.valid_from AND h.valid_from > $from THEN h.valid_from
              WHEN g.valid_from > $from THEN g.valid_from ELSE $from END AS starts_at,
         CASE WHEN COALESCE(h.valid_to, 253402300799999) < COALESCE(g.valid_to, 253402300799999)
                   AND COALESCE(h.valid_to, 253402300799999) <= $as_of THEN h.valid_to
              WHEN COALESCE(g.valid_to, 253402300799999) <= $as_of THEN g.valid_to ELSE $as_of + 1 END AS ends_at,
         CASE WHEN g.valid_to IS NULL OR h.valid_to IS NULL THEN 1 ELSE 0 END AS unsure,
         COALESCE((SELECT min(s.label) FROM system_history s WHERE s.id = g.system), 'a system') AS label
    FROM access_grant_history g
    JOIN (SELECT s.id AS id FROM system_history s WHERE s.in_scope = 1 GROUP BY s.id) y ON y.id = g.system
    JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
          AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
   WHERE h.valid_from <= $as_of AND g.valid_from <= $as_of AND COALESCE(h.valid_to, 253402300799999) > $from
     AND COALESCE(g.valid_to, 253402300799999) > $from
),
access AS (
  SELECT s.account AS account, s.kind AS kind, s.starts_at AS starts_at, s.ends_at AS ends_at, max(s.unsure) AS unsure
    FROM span s
   GROUP BY s.account, s.kind, s.starts_at, s.ends_at
),
item AS (
  SELECT s.account AS account, min(s.label) AS label, min(s.grade) AS grade,
         max(CASE s.kind WHEN 'shared' THEN 1 ELSE 0 END) AS shared,
         -- Kinds behind which one person stands; whether that is so of some nobody knows.
         max(CASE s.kind WHEN 'human' THEN 1 WHEN 'guest' THEN 1 WHEN 'unknown' THEN 1 ELSE 0 END) AS personal,
         max(CASE s.kind WHEN 'unknown' THEN 1 ELSE 0 END) AS unclear
    FROM span s
   GROUP BY s.account
),
personal AS (
  SELECT a.account AS account, a.starts_at AS starts_at, a.ends_at AS ends_at
    FROM access a
   WHERE a.kind = 'human' OR a.kind = 'guest' OR a.kind = 'unknown'
   GROUP BY a.account, a.starts_at, a.ends_at
),
holding AS (
  SELECT a.account AS account, a.starts_at AS needed_from, a.ends_at AS needed_to, p.person AS person,
         CASE WHEN p.valid_from < a.starts_at THEN a.starts_at ELSE p.valid_from END AS starts_at,
         CASE WHEN p.valid_to > a.ends_at THEN a.ends_at ELSE p.valid_to END AS ends_at
    FROM personal a
    JOIN account_person p ON p.account = a.account AND p.valid_from < a.ends_at AND p.valid_to > a.starts_at
   -- Of whom nothing is known but this one account, nobody can say who they are.
   WHERE p.basis <> 'own_account' OR EXISTS (SELECT 1 FROM account_person o WHERE o.person = p.person AND o.account <> p.account)
),
tied AS (
  -- How long it is somebody's, each instant once.
  SELECT x.account AS account,
         CAST(sum(CASE WHEN x.ended_before IS NULL OR x.ended_before <= x.starts_at THEN x.ends_at - x.starts_at
                       WHEN x.ended_before < x.ends_at THEN x.ends_at - x.ended_before
                       ELSE 0 END) AS BIGINT) AS ms,
         count(DISTINCT x.person) AS people
    FROM (SELECT h.account AS account, h.person AS person, h.starts_at AS starts_at, h.ends_at AS ends_at,
                 max(h.ends_at) OVER (PARTITION BY h.account, h.needed_from, h.needed_to
                                      ORDER BY h.starts_at ASC NULLS FIRST, h.ends_at ASC NULLS FIRST, h.person ASC NULLS FIRST
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
            FROM holding h) x
   GROUP BY x.account
),
needed AS (
  SELECT a.account AS account, CAST(sum(a.ends_at - a.starts_at) AS BIGINT) AS ms
    FROM personal a
   GROUP BY a.account
),
together AS (
  -- Two at one time: 2 for certain, 1 unless they are one.
  SELECT h.account AS account, max(CASE WHEN al.person IS NULL THEN 2 ELSE 1 END) AS worth
    FROM holding h
    JOIN holding o ON o.account = h.account AND o.person > h.person AND o.starts_at < h.ends_at AND o.ends_at > h.starts_at
    LEFT JOIN person_alike al ON al.person = h.person AND al.other_person = o.person
   GROUP BY h.account
),
common AS (
  -- Shared logins, stretch by stretch.
  SELECT a.account AS account, a.starts_at AS starts_at, a.ends_at AS ends_at, max(a.unsure) AS unsure
    FROM access a
   WHERE a.kind = 'shared'
   GROUP BY a.account, a.starts_at, a.ends_at
),
kept AS (
  -- When somebody who works here keeps it: for certain (1), and as far as it may be (0).
  SELECT o.account AS account, k.certain AS certain,
         CASE WHEN k.certain = 1 THEN CASE WHEN e.started_at > o.valid_from THEN e.started_at WHEN e.started_at IS NOT NULL THEN o.valid_from END
              WHEN e.started_at > o.valid_from THEN e.started_at ELSE o.valid_from END AS starts_at,
         CASE WHEN k.certain = 1 THEN CASE WHEN e.ended_at < o.valid_to THEN e.ended_at WHEN e.ended_at IS NOT NULL THEN o.valid_to END
              WHEN COALESCE(e.ended_at, 253402300799999) < COALESCE(o.valid_to, 253402300799999) THEN e.ended_at
              ELSE COALESCE(o.valid_to, 253402300799999) END AS ends_at
    FROM account_owner_history o
    JOIN account_person p ON p.account = o.owner AND p.valid_from <= o.valid_from AND p.valid_to > o.valid_from
    JOIN account_person q ON q.person = p.person
    JOIN employment e ON e.account = q.account
    CROSS JOIN (SELECT 1 AS certain UNION ALL SELECT 0 AS certain) k
  UNION ALL
  SELECT o.account AS account, 0 AS certain, o.valid_from AS starts_at, COALESCE(o.valid_to, 253402300799999) AS ends_at
    FROM account_owner_history o
    LEFT JOIN account_person p ON p.account = o.owner AND p.valid_from <= o.valid_from AND p.valid_to > o.valid_from
   WHERE p.account IS NULL
),
cut AS (
  SELECT k.account AS account, k.certain AS certain, n.starts_at AS needed_from, n.ends_at AS needed_to,
         CASE WHEN k.starts_at < n.starts_at THEN n.starts_at ELSE k.starts_at END AS starts_at,
         CASE WHEN k.ends_at > n.ends_at THEN n.ends_at ELSE k.ends_at END AS ends_at
    FROM kept k
    JOIN common n ON n.account = k.account
   WHERE k.starts_at < n.ends_at AND k.ends_at > n.starts_at AND k.starts_at < k.ends_at
),
keeper AS (
  SELECT h.account AS account,
         CAST(sum(CASE WHEN h.certain = 1 THEN h.ms ELSE 0 END) AS BIGINT) AS sure_ms,
         CAST(sum(CASE WHEN h.certain = 0 THEN h.ms ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT x.account AS account, x.certain AS certain,
                 CASE WHEN x.ended_before IS NULL OR x.ended_before <= x.starts_at THEN x.ends_at - x.starts_at
                      WHEN x.ended_before < x.ends_at THEN x.ends_at - x.ended_before
                      ELSE 0 END AS ms
            FROM (SELECT c.account AS account, c.certain AS certain, c.starts_at AS starts_at, c.ends_at AS ends_at,
                         max(c.ends_at) OVER (PARTITION BY c.account, c.certain, c.needed_from, c.needed_to
                                              ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST
                                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
                    FROM cut c) x) h
   GROUP BY h.account
),
to_keep AS (
  SELECT n.account AS account, CAST(sum(n.ends_at - n.starts_at) AS BIGINT) AS ms, max(n.unsure) AS unsure
    FROM common n
   GROUP BY n.account
),
use AS (
  -- Each use of a shared login: 3 of one person, 2 a person has to say, 1 nobody can say, 0 nobody had taken it.
  SELECT u.account AS account, u.id AS id, u.grade AS grade,
         max(CASE WHEN k.id IS NULL THEN 0 WHEN k.returned_at IS NULL THEN 1
                  WHEN p.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 2 ELSE 3 END) AS worth,
         min(CASE WHEN k.id IS NOT NULL AND k.returned_at IS NOT NULL AND p.person IS NULL THEN 0 ELSE 1 END) AS all_known,
         count(DISTINCT p.person) AS people
    FROM (SELECT DISTINCT u.account AS account, u.id AS id, u.used_at AS used_at, u.grade AS grade
            FROM account_use u
            JOIN common n ON n.account = u.account AND n.starts_at <= u.used_at AND n.ends_at > u.used_at) u
    LEFT JOIN account_checkout k ON k.account = u.account AND k.taken_at <= u.used_at
          AND (k.returned_at > u.used_at OR k.returned_at IS NULL)
    LEFT JOIN account_person p ON p.account = k.taken_by AND p.valid_from <= k.taken_at AND p.valid_to > k.taken_at
    LEFT JOIN account_history h ON h.id = k.taken_by AND h.valid_from <= k.taken_at AND h.valid_to > k.taken_at
   GROUP BY u.account, u.id, u.grade
),
uses AS (
  SELECT u.account AS account, min(u.grade) AS grade,
         min(CASE WHEN u.worth = 3 AND (u.people > 1 OR u.all_known = 0) THEN 2 ELSE u.worth END) AS worth
    FROM use u
   GROUP BY u.account
),
knew AS (
  -- Who had taken it and left in the period, with the instant by which its secret has to be another.
  SELECT n.account AS account, k.taken_at AS taken_at, e.id AS employment,
         e.ended_at AS ended_at, e.ended_at + $hours * CAST(3600000 AS BIGINT) AS due_at,
         max(CASE WHEN o.started_at <= e.ended_at AND o.ended_at > e.ended_at THEN 1 ELSE 0 END) AS stays
    FROM (SELECT c.account AS account, min(c.starts_at) AS starts_at, max(c.ends_at) AS ends_at FROM common c GROUP BY c.account) n
    JOIN account_checkout k ON k.account = n.account AND k.taken_at < n.ends_at
    JOIN account_person p ON p.account = k.taken_by AND p.valid_from <= k.taken_at AND p.valid_to > k.taken_at
    JOIN account_person q ON q.person = p.person
    JOIN employment e ON e.account = q.account AND (e.started_at <= k.taken_at OR e.started_at IS NULL)
          AND (e.ended_at >= k.taken_at AND e.ended_at >= n.starts_at AND e.ended_at < n.ends_at OR e.ended_at IS NULL)
    JOIN account_person r ON r.person = p.person
    LEFT JOIN employment o ON o.account = r.account AND o.id <> e.id
   GROUP BY n.account, k.id, k.taken_at, e.id, e.ended_at
),
secret AS (
  -- What they knew: 3 changed in time, 2 has hours to go, 1 nobody can say, 0 not changed in time.
  SELECT w.account AS account, min(c.grade) AS grade,
         COALESCE(min(CASE WHEN w.stays = 1 THEN 3
                           WHEN w.ended_at IS NULL OR c.id IS NULL OR c.created_at IS NULL THEN 1
                           -- Another secret than the one they knew.
                           WHEN c.created_at > w.due_at OR c.revoked_at < w.taken_at OR c.expires_at < w.taken_at THEN NULL
                           WHEN c.created_at > w.ended_at OR c.revoked_at <= w.due_at OR c.expires_at <= w.due_at THEN 3
                           WHEN w.due_at > $cutoff THEN 2
                           WHEN c.revoked_at IS NULL OR c.expires_at IS NULL THEN 1
                           ELSE 0 END), 1) AS worth
    FROM knew w
    LEFT JOIN credential c ON c.account = w.account AND c.kind <> 'session'
   GROUP BY w.account
)
SELECT h.id AS item,
       'account at ' || i.label AS label,
       $from AS occurred_at,
       min(h.entry) AS entry,
       CASE WHEN c.grade < i.grade AND c.grade < COALESCE(u.grade, i.grade) THEN c.grade
            WHEN u.grade < i.grade THEN u.grade
            ELSE i.grade END AS grade,
       CASE WHEN i.shared = 1 AND $shared_allowed = 0 THEN 'deviation'
            WHEN i.personal = 0 THEN 'not_applicable'
            WHEN g.worth = 2 THEN 'deviation'
            WHEN t.ms IS NULL OR t.ms < n.ms THEN 'no_evidence'
            WHEN g.worth = 1 OR t.people > 1 OR i.unclear = 1 THEN 'needs_judgement'
            ELSE 'pass' END AS a,
       CASE WHEN k.account IS NULL THEN 'not_applicable'
            WHEN r.sure_ms = k.ms THEN 'pass'
            WHEN r.perhaps_ms = k.ms OR k.unsure = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN u.worth = 3 THEN 'pass' WHEN u.worth = 2 THEN 'needs_judgement' WHEN u.worth = 1 THEN 'no_evidence'
            WHEN u.worth = 0 THEN 'deviation' ELSE 'not_applicable' END AS c,
       CASE WHEN c.worth = 3 THEN 'pass' WHEN c.worth = 2 THEN 'not_yet_due' WHEN c.worth = 1 THEN 'no_evidence'
            WHEN c.worth = 0 THEN 'deviation' ELSE 'not_applicable' END AS d
  FROM account_history h
  JOIN item i ON i.account = h.id
  LEFT JOIN needed n ON n.account = h.id
  LEFT JOIN tied t ON t.account = h.id
  LEFT JOIN together g ON g.account = h.id
  LEFT JOIN to_keep k ON k.account = h.id
  LEFT JOIN keeper r ON r.account = h.id
  LEFT JOIN uses u ON u.account = h.id
  LEFT JOIN secret c ON c.account = h.id
 GROUP BY h.id, i.label, i.grade, i.shared, i.personal, i.unclear, n.ms, t.ms, t.people, g.worth, k.account, k.ms, k.unsure,
          r.sure_ms, r.perhaps_ms, u.worth, u.grade, c.worth, c.grade
HAVING min(h.in_scope) = 1
