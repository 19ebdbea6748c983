WITH entrance AS (
  -- What lets an account into a system: while the account is there and the grant holds, whether or not it is listed.
  SELECT g.account AS account, g.system AS system, g.role AS role,
         CASE WHEN h.valid_from > g.valid_from THEN h.valid_from ELSE g.valid_from END AS starts_at,
         CASE WHEN h.valid_to < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to
              WHEN h.id IS NOT NULL AND h.valid_to IS NULL THEN NULL
              ELSE g.valid_to END AS ends_at
    FROM access_grant_history g
    LEFT JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
          AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
   WHERE h.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM account_history k WHERE k.id = g.account)
),
begun AS (
  -- Grants that begin: 2 anew, 0 where as much was held up to that instant.
  SELECT g.id AS id, g.valid_from AS held_from, g.valid_from AS given_at, min(CASE WHEN b.id IS NULL THEN 2 ELSE 0 END) AS anew
    FROM access_grant_history g
    LEFT JOIN access_grant_history b ON b.account = g.account AND b.system = g.system AND b.role = g.role
          AND (g.privileged = 0 OR b.privileged = 1) AND b.valid_from < g.valid_from AND b.valid_to >= g.valid_from
   WHERE g.valid_from >= $from AND g.valid_from < $to AND g.valid_from <= $cutoff
   GROUP BY g.id, g.valid_from
  UNION ALL
  -- Grants in whose time an account is there again: 2 after it had been closed, 1 perhaps. One that goes on, or was never
  -- seen before, was not opened.
  SELECT g.id AS id, max(g.valid_from) AS held_from, h.valid_from AS given_at, min(CASE WHEN e.valid_to IS NULL THEN 1 ELSE 2 END) AS anew
    FROM access_grant_history g
    JOIN account_history h ON h.id = g.account AND h.valid_from > g.valid_from
          AND (g.valid_to > h.valid_from OR g.valid_to IS NULL)
    JOIN account_history e ON e.id = h.id AND e.valid_from < h.valid_from
   WHERE h.valid_from >= $from AND h.valid_from < $to AND h.valid_from <= $cutoff
   GROUP BY g.id, h.valid_from
  HAVING max(COALESCE(e.valid_to, 0)) < h.valid_from
),
given AS (
  SELECT g.id AS id, b.given_at AS given_at, b.anew AS anew, g.account AS account, g.system AS system, g.role AS role,
         g.privileged AS privileged, g.entry AS entry, g.grade AS grade, g.approved_at AS approved_at, g.approved_by AS approved_by
    FROM (SELECT x.id AS id, x.given_at AS given_at, max(x.held_from) AS held_from, max(x.anew) AS anew
            FROM begun x GROUP BY x.id, x.given_at) b
    JOIN access_grant_history g ON g.id = b.id AND g.valid_from = b.held_from
   WHERE g.in_scope = 1
),
holder AS (
  -- Whose the access is. What nobody is tied to may be anybody's, unless a machine signs in with it, or several do.
  SELECT n.id AS id, n.given_at AS given_at, n.account AS account, n.system AS system, p.person AS person,
         max(CASE WHEN p.person IS NOT NULL OR h.kind = 'service' OR h.kind = 'bot' OR h.kind = 'shared' OR h.kind = 'break_glass' THEN 1
                  ELSE 0 END) AS known
    FROM given n
    LEFT JOIN account_person p ON p.account = n.account AND p.valid_from <= n.given_at AND p.valid_to > n.given_at
    LEFT JOIN account_history h ON h.id = n.account AND h.valid_from <= n.given_at AND (h.valid_to > n.given_at OR h.valid_to IS NULL)
   GROUP BY n.id, n.given_at, n.account, n.system, p.person
),
timely AS (
  -- Requests that may have been approved, and the instants at which access may be given by them: of the others nothing follows.
  SELECT r.id AS id, r.account AS account, r.system AS system, r.approved_at AS approved_at,
         COALESCE(r.approved_at, $from) AS since,
         CASE WHEN r.approved_at + $days * CAST(86400000 AS BIGINT) < COALESCE(r.expires_at, 253402300799999)
              THEN r.approved_at + $days * CAST(86400000 AS BIGINT)
              ELSE COALESCE(r.expires_at, 253402300799999) - 1 END AS until
    FROM access_request r
   WHERE r.status <> 'denied' AND r.status <> 'pending'
),
loose AS (
  -- Requests of which nobody knows whom they are for.
  SELECT r.id AS request, r.system AS system, r.since AS since, r.until AS until
    FROM timely r
   WHERE r.account IS NULL
  UNION
  SELECT r.id AS request, r.system AS system, r.since AS since, r.until AS until
    FROM timely r
    LEFT JOIN account_person p ON p.account = r.account AND p.valid_from <= COALESCE(r.approved_at, p.valid_from)
          AND p.valid_to > COALESCE(r.approved_at, p.valid_from)
    LEFT JOIN account_history h ON h.id = r.account
          AND (h.kind = 'service' OR h.kind = 'bot' OR h.kind = 'shared' OR h.kind = 'break_glass')
   WHERE p.account IS NULL AND h.id IS NULL
),
candidate AS (
  -- 3 for whose the access is, 2 a person has to say.
  SELECT o.id AS id, o.given_at AS given_at, r.id AS request, 3 AS meant
    FROM holder o
    JOIN timely r ON r.account = o.account AND r.system = o.system AND r.since <= o.given_at AND r.until >= o.given_at
  UNION ALL
  SELECT o.id AS id, o.given_at AS given_at, r.id AS request, 3 AS meant
    FROM holder o
    JOIN account_person p ON p.person = o.person
    JOIN timely r ON r.account = p.account AND r.system = o.system AND r.since <= o.given_at AND r.until >= o.given_at
          AND p.valid_from <= COALESCE(r.approved_at, o.given_at) AND p.valid_to > COALESCE(r.approved_at, o.given_at)
  UNION ALL
  SELECT o.id AS id, o.given_at AS given_at, r.id AS request, 2 AS meant
    FROM holder o
    JOIN person_alike al ON al.person = o.person
    JOIN account_person p ON p.person = al.other_person
    JOIN timely r ON r.account = p.account AND r.system = o.system AND r.since <= o.given_at AND r.until >= o.given_at
  UNION ALL
  SELECT o.id AS id, o.given_at AS given_at, l.request AS request, 2 AS meant
    FROM holder o
    JOIN loose l ON l.system = o.system AND l.since <= o.given_at AND l.until >= o.given_at
   WHERE o.person IS NOT NULL OR o.known = 0
  UNION ALL
  SELECT o.id AS id, o.given_at AS given_at, r.id AS request, 2 AS meant
    FROM holder o
    JOIN timely r ON r.system = o.system AND r.since <= o.given_at AND r.until >= o.given_at
    JOIN account_person p ON p.account = r.account
   WHERE o.known = 0
),
meant AS (
  SELECT c.id AS id, c.given_at AS given_at, c.request AS request, max(c.meant) AS meant
    FROM candidate c
   GROUP BY c.id, c.given_at, c.request
),
approval AS (
  SELECT n.id AS id, n.given_at AS given_at, n.account AS account, n.system AS system, n.role AS role, n.privileged AS privileged,
         m.meant AS meant, r.id AS request, r.status AS status, r.approved_at AS approved_at, r.approved_by AS approved_by, r.requested_by AS requested_by,
         r.account AS subject, r.expires_at AS expires_at, r.basis AS basis, r.recorded_at AS recorded_at,
         r.role AS approved_role, r.privileged AS approved_privileged, r.grade AS grade
    FROM given n
    JOIN meant m ON m.id = n.id AND m.given_at = n.given_at 
    JOIN access_request r ON r.id = m.request
  UNION ALL
  -- What the grant itself says of its approval: not who asked.
  SELECT n.id AS id, n.given_at AS given_at, n.account AS account, n.system AS system, n.role AS role, n.privileged AS privileged,
         3 AS meant, 0 AS request, 'approved' AS status, n.approved_at AS approved_at, n.approved_by AS approved_by, NULL AS requested_by,
         n.account AS subject, 253402300799999 AS expires_at, 'record' AS basis, NULL AS recorded_at,
         n.role AS approved_role, n.privileged AS approved_privileged, n.grade AS grade
    FROM given n
   WHERE n.approved_at IS NOT NULL OR n.approved_by IS NOT NULL
),
counted AS (
  -- How many approvals there were from this one on, and how many times access was given since that ended again.
  SELECT v.id AS id, v.given_at AS given_at, v.approved_at AS approved_at, count(DISTINCT o.approved_at) AS approvals
    FROM approval v
    LEFT JOIN approval o ON o.id = v.id AND o.given_at = v.given_at AND o.meant = 3 AND o.status = 'approved' AND o.approved_role = o.role
          AND o.expires_at > o.given_at AND o.approved_at >= v.approved_at AND o.approved_at <= o.given_at
   GROUP BY v.id, v.given_at, v.approved_at
),
earlier AS (
  -- The same access before: 2 approved while it held, 0 given since, 1 nobody knows whether it ended.
  SELECT DISTINCT v.id AS id, v.given_at AS given_at, v.approved_at AS approved_at, e.starts_at AS starts_at,
         CASE WHEN e.ends_at IS NULL THEN 1 WHEN e.starts_at >= v.approved_at THEN 0 ELSE 2 END AS worth
    FROM approval v
    JOIN entrance e ON e.account = v.account AND e.system = v.system AND (e.role = v.role OR e.role IS NULL OR v.role IS NULL)
          AND e.starts_at < v.given_at AND (e.ends_at < v.given_at AND e.ends_at > v.approved_at OR e.ends_at IS NULL)
),
used_up AS (
  -- What was approved for access that ended since is used up, unless more was approved than was given.
  SELECT c.id AS id, c.given_at AS given_at, c.approved_at AS approved_at,
         CASE WHEN c.approvals > count(DISTINCT CASE WHEN b.starts_at >= c.approved_at THEN b.starts_at END)
              THEN min(CASE WHEN b.starts_at < c.approved_at THEN b.worth ELSE 3 END)
              ELSE COALESCE(min(b.worth), 3) END AS left_over
    FROM counted c
    LEFT JOIN earlier b ON b.id = c.id AND b.given_at = c.given_at AND b.approved_at = c.approved_at
   GROUP BY c.id, c.given_at, c.approved_at, c.approvals
),
judged AS (
  -- Whether somebody else gave it: 3 yes, 2 a person has to say, 0 no.
  SELECT v.id AS id, v.given_at AS given_at, v.request AS request,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' OR ap.person = qp.person OR ap.person = o.person OR ap.person = sp.person
                       OR v.approved_by = v.requested_by OR v.approved_by = v.account OR v.approved_by = v.subject THEN 0
                  WHEN ap.person IS NULL OR qp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' OR o.known = 0
                       OR aq.person IS NOT NULL OR ao.person IS NOT NULL THEN 2
                  ELSE 3 END) AS independent
    FROM approval v
    JOIN holder o ON o.id = v.id AND o.given_at = v.given_at
    LEFT JOIN account_history h ON h.id = v.approved_by AND h.valid_from <= v.approved_at AND h.valid_to > v.approved_at
    LEFT JOIN account_person ap ON ap.account = v.approved_by AND ap.valid_from <= v.approved_at AND ap.valid_to > v.approved_at
    LEFT JOIN account_person qp ON qp.account = v.requested_by AND qp.valid_from <= v.approved_at AND qp.valid_to > v.approved_at
    LEFT JOIN account_person sp ON sp.account = v.subject AND sp.valid_from <= v.approved_at AND sp.valid_to > v.approved_at
    LEFT JOIN person_alike aq ON aq.person = ap.person AND aq.other_person = qp.person
    LEFT JOIN person_alike ao ON ao.person = ap.person AND ao.other_person = o.person
   GROUP BY v.id, v.given_at, v.request
),
weighed AS (
  -- Of each approval, 3 yes, 2 a person has to say, 1 nobody can say, 0 no: whether it was given in time for this access,
  -- by somebody else, and for as much.
  SELECT v.id AS id, v.given_at AS given_at, v.meant AS meant, j.independent AS independent, COALESCE(u.left_over, 3) AS left_over,
         CASE WHEN v.basis = 'export' AND (v.recorded_at IS NULL OR v.recorded_at > v.given_at) AND v.grade > 'manual' THEN 'manual'
              ELSE v.grade END AS grade,
         CASE WHEN v.status = 'denied' OR v.status = 'pending' OR v.approved_at > v.given_at
                   OR v.approved_at < v.given_at - $days * CAST(86400000 AS BIGINT) OR v.expires_at <= v.given_at THEN 0
              WHEN v.status = 'unknown' OR v.approved_at IS NULL OR v.expires_at IS NULL THEN 1
              WHEN v.basis = 'record' OR v.basis = 'export' OR v.recorded_at <= v.given_at THEN 3
              ELSE 1 END AS in_time,
         CASE WHEN v.approved_role = v.role THEN 3
              WHEN v.approved_role IS NULL OR v.role IS NULL THEN 1
              WHEN v.approved_privileged = 0 THEN 0
              WHEN v.privileged = 1 AND v.approved_privileged = 1 THEN 0
              WHEN v.approved_privileged = 1 AND v.privileged = 0 THEN 2
              ELSE 1 END AS reach
    FROM approval v
    JOIN judged j ON j.id = v.id AND j.given_at = v.given_at AND j.request = v.request
    LEFT JOIN used_up u ON u.id = v.id AND u.given_at = v.given_at AND u.approved_at = v.approved_at
),
ranked AS (
  SELECT w.id AS id, w.given_at AS given_at, w.grade AS grade, w.independent AS independent, w.reach AS reach,
         CASE WHEN w.in_time < w.left_over AND w.in_time < w.meant THEN w.in_time
              WHEN w.left_over < w.meant THEN w.left_over
              ELSE w.meant END AS in_time
    FROM weighed w
),
best AS (
  -- Each attribute asks of those approvals only that are in order before it.
  SELECT r.id AS id, r.given_at AS given_at, min(CASE WHEN r.in_time > 0 THEN r.grade END) AS grade, max(r.in_time) AS in_time,
         max(CASE WHEN r.in_time = 0 THEN NULL WHEN r.independent < r.in_time THEN r.independent ELSE r.in_time END) AS independent,
         max(CASE WHEN r.in_time = 0 OR r.independent = 0 THEN NULL
                  WHEN r.reach < r.in_time AND r.reach < r.independent THEN r.reach
                  WHEN r.independent < r.in_time THEN r.independent
                  ELSE r.in_time END) AS reach
    FROM ranked r
   GROUP BY r.id, r.given_at
)
SELECT n.id AS item,
       COALESCE(n.role, 'access') || ' at ' || COALESCE((SELECT min(s.label) FROM system_history s WHERE s.id = n.system), 'a system') AS label,
       n.given_at AS occurred_at,
       n.entry AS entry,
       CASE WHEN b.grade < n.grade THEN b.grade ELSE n.grade END AS grade,
       CASE WHEN n.anew = 0 THEN 'not_applicable' WHEN n.anew = 1 THEN 'no_evidence'
            WHEN b.in_time = 3 THEN 'pass' WHEN b.in_time = 2 THEN 'needs_judgement' WHEN b.in_time = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN n.anew < 2 THEN 'not_applicable'
            WHEN b.independent = 3 THEN 'pass' WHEN b.independent = 2 THEN 'needs_judgement' WHEN b.independent = 1 THEN 'no_evidence'
            WHEN b.independent = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS b,
       CASE WHEN n.anew < 2 THEN 'not_applicable'
            WHEN b.reach = 3 THEN 'pass' WHEN b.reach = 2 THEN 'needs_judgement' WHEN b.reach = 1 THEN 'no_evidence'
            WHEN b.reach = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS c,
       n.given_at - $days * CAST(86400000 AS BIGINT) AS a_since,
       n.given_at - $days * CAST(86400000 AS BIGINT) AS b_since,
       n.given_at - $days * CAST(86400000 AS BIGINT) AS c_since,
       n.system AS scope
  FROM given n
  LEFT JOIN best b ON b.id = n.id AND b.given_at = n.given_at
