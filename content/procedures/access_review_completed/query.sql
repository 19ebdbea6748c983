WITH quarter AS (
  SELECT d.quarter AS quarter, min(d.starts_at) AS starts_at, max(d.ends_at) AS ends_at
    FROM calendar_day d
   WHERE d.calendar = $calendar AND d.zone = $tz
     -- No quarter is longer than 93 days.
     AND d.starts_at >= $from - CAST(93 AS BIGINT) * 86400000 AND d.starts_at < $to + CAST(93 AS BIGINT) * 86400000
   GROUP BY d.quarter
),
due AS (
  -- The quarters that end in the period, and with the end of which day their reviews are due. Noon of a day lies in it,
  -- however the clocks were changed.
  SELECT q.starts_at AS starts_at, q.ends_at AS ends_at, d.ends_at - 1 AS due_at
    FROM quarter q
    LEFT JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz
          AND d.starts_at <= q.ends_at - CAST(43200000 AS BIGINT) + $grace_days * CAST(86400000 AS BIGINT)
          AND d.ends_at > q.ends_at - CAST(43200000 AS BIGINT) + $grace_days * CAST(86400000 AS BIGINT)
          AND d.starts_at > q.ends_at - CAST(90000000 AS BIGINT) + $grace_days * CAST(86400000 AS BIGINT) - CAST(90000000 AS BIGINT)
   WHERE q.ends_at > $from AND q.ends_at <= $to
  UNION ALL
  -- Where the calendar does not know the period, nobody can say which quarters there are.
  SELECT $from AS starts_at, NULL AS ends_at, NULL AS due_at
    FROM (SELECT count(*) AS days
            FROM calendar_day d
           WHERE d.calendar = $calendar AND d.zone = $tz
             AND (d.starts_at <= $from AND d.ends_at > $from OR d.starts_at < $to AND d.ends_at >= $to)) k
   WHERE k.days = 0 OR k.days = 1 AND $to - $from > CAST(90000000 AS BIGINT)
),
pair AS (
  SELECT s.id AS system, d.starts_at AS starts_at, d.ends_at AS ends_at, d.due_at AS due_at, min(s.label) AS label,
         min(s.entry) AS entry, min(s.grade) AS grade, max(CASE WHEN s.valid_to IS NULL THEN 1 ELSE 0 END) AS unsure,
         CASE WHEN d.due_at < $cutoff THEN d.due_at ELSE $cutoff END AS until
    FROM system_history s
    JOIN due d ON s.valid_from < COALESCE(d.ends_at, $to) AND (s.valid_to >= COALESCE(d.ends_at, $to) OR s.valid_to IS NULL)
   WHERE s.in_scope = 1
   GROUP BY s.id, d.starts_at, d.ends_at, d.due_at
),
review AS (
  -- Reviews that began in the quarter, and those of which nobody can say whether they did.
  SELECT p.system AS system, p.starts_at AS quarter, p.due_at AS due_at, r.id AS review, r.grade AS grade,
         r.listed_at AS listed_at, r.opened_at AS opened_at, r.completed_at AS completed_at,
         CASE WHEN r.opened_at IS NULL THEN 0 ELSE 1 END AS sure
    FROM pair p
    JOIN access_review r ON r.system = p.system
   WHERE (r.opened_at >= p.starts_at AND r.opened_at < p.ends_at AND r.opened_at <= $cutoff OR r.opened_at IS NULL)
),
entrance AS (
  -- What lets an account into a system: while the account is there and the grant holds, whether or not it is listed.
  SELECT g.account AS account, g.system AS system,
         CASE WHEN h.valid_from > g.valid_from THEN h.valid_from ELSE g.valid_from END AS starts_at,
         CASE WHEN h.valid_to < COALESCE(g.valid_to, 253402300799999) THEN h.valid_to
              WHEN h.id IS NOT NULL AND h.valid_to IS NULL THEN NULL
              ELSE g.valid_to END AS ends_at
    FROM access_grant_history g
    LEFT JOIN account_history h ON h.id = g.account AND h.valid_from < COALESCE(g.valid_to, 253402300799999)
          AND (h.valid_to > g.valid_from OR h.valid_to IS NULL)
   WHERE h.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM account_history k WHERE k.id = g.account)
),
line AS (
  -- What a review says of an account: 2 decided, 1 nobody can say, 0 left open.
  SELECT i.review AS review, i.account AS account, min(i.grade) AS grade,
         max(CASE i.decision WHEN 'undecided' THEN 0 WHEN 'unknown' THEN 1 ELSE 2 END) AS decided
    FROM access_review_item i
   GROUP BY i.review, i.account
),
listed AS (
  -- How many stood on the list, and the least that was decided.
  SELECT l.review AS review, min(l.grade) AS grade, count(*) AS lines, min(l.decided) AS decided
    FROM line l
   GROUP BY l.review
),
left_out AS (
  -- Who had access when the list was made, or may have had, and does not stand on it.
  SELECT r.review AS review, count(*) AS accounts
    FROM (SELECT DISTINCT w.review AS review, w.system AS system, w.listed_at AS listed_at FROM review w) r
    JOIN entrance n ON n.system = r.system AND n.starts_at <= r.listed_at AND (n.ends_at > r.listed_at OR n.ends_at IS NULL)
    LEFT JOIN line l ON l.review = r.review AND l.account = n.account
   WHERE l.review IS NULL
   GROUP BY r.review
),
best AS (
  -- The best review of the quarter: 0 not completed in time, 1 nobody can say, 2 too fast to be read, 3 in order.
  SELECT r.system AS system, r.quarter AS quarter, min(r.grade) AS grade, min(d.grade) AS line_grade,
         max(CASE WHEN r.due_at IS NULL OR r.sure = 0 THEN 1
                  WHEN r.completed_at > r.due_at OR r.completed_at > $cutoff OR r.listed_at < r.quarter OR d.decided = 0
                       OR d.review IS NULL AND o.accounts > 0 THEN 0
                  WHEN r.completed_at IS NULL OR r.listed_at IS NULL OR r.completed_at < r.opened_at
                       OR r.listed_at > r.completed_at OR d.decided = 1 OR o.accounts > 0 THEN 1
                  WHEN r.completed_at - r.opened_at < COALESCE(d.lines, 0) * $seconds_per_item * CAST(1000 AS BIGINT) THEN 2
                  ELSE 3 END) AS worth
    FROM review r
    LEFT JOIN listed d ON d.review = r.review
    LEFT JOIN left_out o ON o.review = r.review
   GROUP BY r.system, r.quarter
),
decision AS (
  -- Each decision on an account by somebody: 0 by the person themselves or by no person, 1 nobody can say, 2 for a person
  -- to judge, 3 by somebody else.
  SELECT r.system AS system, r.quarter AS quarter, i.id AS decision, i.account AS account,
         min(CASE WHEN r.sure = 0 OR i.account IS NULL OR i.reviewer IS NULL THEN 1
                  WHEN i.decision = 'undecided' OR i.decision = 'unknown' THEN 3
                  WHEN i.account = i.reviewer OR rp.person = sp.person OR rh.kind = 'bot' OR rh.kind = 'service' THEN 0
                  WHEN rp.person IS NULL OR rh.kind IS NULL OR rh.kind <> 'human' OR al.person IS NOT NULL THEN 2
                  WHEN sp.person IS NULL AND (sh.kind IS NULL OR sh.kind = 'human' OR sh.kind = 'guest' OR sh.kind = 'unknown') THEN 2
                  ELSE 3 END) AS worth
    FROM review r
    JOIN access_review_item i ON i.review = r.review
    LEFT JOIN account_history rh ON rh.id = i.reviewer AND rh.valid_from <= COALESCE(i.decided_at, r.opened_at)
          AND rh.valid_to > COALESCE(i.decided_at, r.opened_at)
    LEFT JOIN account_history sh ON sh.id = i.account AND sh.valid_from <= COALESCE(i.decided_at, r.opened_at)
          AND sh.valid_to > COALESCE(i.decided_at, r.opened_at)
    LEFT JOIN account_person rp ON rp.account = i.reviewer AND rp.valid_from <= COALESCE(i.decided_at, r.opened_at)
          AND rp.valid_to > COALESCE(i.decided_at, r.opened_at)
    LEFT JOIN account_person sp ON sp.account = i.account AND sp.valid_from <= COALESCE(i.decided_at, r.opened_at)
          AND sp.valid_to > COALESCE(i.decided_at, r.opened_at)
    LEFT JOIN person_alike al ON al.person = rp.person AND al.other_person = sp.person
   GROUP BY r.system, r.quarter, i.id, i.account
),
independent AS (
  -- A second reviewer makes good what somebody decided for themselves.
  SELECT x.system AS system, x.quarter AS quarter, min(x.worth) AS worth
    FROM (SELECT d.system AS system, d.quarter AS quarter, d.account AS account, max(d.worth) AS worth
            FROM decision d
           GROUP BY d.system, d.quarter, d.account) x
   GROUP BY x.system, x.quarter
),
removal AS (
  -- What was to be removed: 0 not gone in time, 1 nobody can say, 2 has days to go, 3 gone in time.
  SELECT r.system AS system, r.quarter AS quarter,
         min(CASE WHEN r.sure = 0 OR i.decision = 'unknown' OR i.decided_at IS NULL OR i.removed_at IS NULL THEN 1
                  WHEN i.removed_at <= i.decided_at + $removal_days * CAST(86400000 AS BIGINT) AND i.removed_at <= $cutoff THEN 3
                  WHEN i.decided_at + $removal_days * CAST(86400000 AS BIGINT) > $cutoff THEN 2
                  ELSE 0 END) AS worth,
         max(i.decided_at + $removal_days * CAST(86400000 AS BIGINT)) AS due_at
    FROM review r
    JOIN access_review_item i ON i.review = r.review
   WHERE i.decision = 'revoke' OR i.decision = 'modify' OR i.decision = 'unknown' OR r.sure = 0
   GROUP BY r.system, r.quarter
)
SELECT p.system AS item,
       p.label AS label,
       p.starts_at AS occurred_at,
       p.entry AS entry,
       CASE WHEN b.line_grade < p.grade AND b.line_grade < b.grade THEN b.line_grade
            WHEN b.grade < p.grade THEN b.grade
            ELSE p.grade END AS grade,
       CASE WHEN b.worth = 3 THEN 'pass'
            WHEN b.worth = 2 THEN 'needs_judgement'
            WHEN b.worth = 1 OR p.ends_at IS NULL THEN 'no_evidence'
            WHEN p.due_at > $cutoff THEN 'not_yet_due'
            WHEN p.due_at IS NULL OR p.unsure = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN p.ends_at IS NULL THEN 'no_evidence'
            WHEN b.system IS NULL THEN 'not_applicable'
            WHEN i.worth = 3 THEN 'pass'
            WHEN i.worth = 2 THEN 'needs_judgement'
            WHEN i.worth = 0 THEN 'deviation'
            WHEN i.worth = 1 THEN 'no_evidence'
            ELSE 'not_applicable' END AS b,
       CASE WHEN p.ends_at IS NULL THEN 'no_evidence'
            WHEN v.worth = 3 THEN 'pass'
            WHEN v.worth = 2 THEN 'not_yet_due'
            WHEN v.worth = 1 THEN 'no_evidence'
            WHEN v.worth = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS c,
       p.until AS a_until,
       p.until AS b_until,
       CASE WHEN v.due_at > $cutoff THEN $cutoff ELSE COALESCE(v.due_at, p.until) END AS c_until,
       p.system AS scope
  FROM pair p
  LEFT JOIN best b ON b.system = p.system AND b.quarter = p.starts_at
  LEFT JOIN independent i ON i.system = p.system AND i.quarter = p.starts_at
  LEFT JOIN removal v ON v.system = p.system AND v.quarter = p.starts_at
