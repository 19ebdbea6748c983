WITH quarter AS (
  SELECT d.quarter AS quarter, min(d.starts_at) AS starts_at, max(d.ends_at) AS ends_at
    FROM calendar_day d
   WHERE d.calendar = $calendar AND d.zone = $tz
     -- No quarter is longer than 93 days.
     AND d.starts_at >= $from - CAST(93 AS BIGINT) * 86400000 AND d.starts_at < $to + CAST(93 AS BIGINT) * 86400000
   GROUP BY d.quarter
),
due AS (
  -- The quarters that end in the period. What is due with one is due in its last instant.
  SELECT q.starts_at AS starts_at, q.ends_at AS ends_at
    FROM quarter q
   WHERE q.ends_at > $from AND q.ends_at <= $to
  UNION ALL
  -- Where the calendar does not know the period, nobody can say which quarters there are.
  SELECT $from AS starts_at, NULL AS ends_at
    FROM (SELECT count(*) AS days
            FROM calendar_day d
           WHERE d.calendar = $calendar AND d.zone = $tz
             AND (d.starts_at <= $from AND d.ends_at > $from OR d.starts_at < $to AND d.ends_at >= $to)) k
   WHERE k.days = 0 OR k.days = 1 AND $to - $from > CAST(90000000 AS BIGINT)
),
pair AS (
  SELECT s.id AS asset, d.starts_at AS starts_at, d.ends_at AS ends_at, s.label AS label, s.entry AS entry, s.grade AS grade,
         CASE WHEN s.class = 'confidential' OR s.class = 'restricted' OR s.kind = 'vault' THEN 1 ELSE 0 END AS concerned,
         CASE WHEN s.in_use_from IS NULL OR s.retired IS NULL OR (s.retired = 1 AND s.retired_at IS NULL) THEN 1 ELSE 0 END AS unsure,
         CASE WHEN d.ends_at - 1 < $cutoff THEN d.ends_at - 1 ELSE $cutoff END AS until
    FROM data_asset s
    JOIN due d ON (s.in_use_from < COALESCE(d.ends_at, $to) OR s.in_use_from IS NULL)
          AND (s.retired = 0 OR s.retired IS NULL OR s.retired_at IS NULL OR s.retired_at >= COALESCE(d.ends_at, $to))
   WHERE s.in_scope = 1 AND (s.class = 'confidential' OR s.class = 'restricted' OR s.class IS NULL OR s.kind = 'vault')
),
review AS (
  -- Reviews that began in the quarter, and those of which nobody can say whether they did.
  SELECT p.asset AS asset, p.starts_at AS quarter, p.ends_at AS due_at, r.id AS review, r.grade AS grade,
         r.listed_at AS listed_at, r.opened_at AS opened_at, r.completed_at AS completed_at,
         CASE WHEN r.opened_at IS NULL THEN 0 ELSE 1 END AS sure
    FROM pair p
    JOIN store_review r ON r.asset = p.asset
   WHERE (r.opened_at >= p.starts_at AND r.opened_at < p.ends_at AND r.opened_at <= $cutoff OR r.opened_at IS NULL)
),
line AS (
  -- What a review says of an account: 2 decided, 1 nobody can say, 0 left open.
  SELECT i.review AS review, i.account AS account, min(i.grade) AS grade,
         max(CASE i.decision WHEN 'undecided' THEN 0 WHEN 'unknown' THEN 1 ELSE 2 END) AS decided
    FROM access_review_item i
   GROUP BY i.review, i.account
),
listed AS (
  SELECT l.review AS review, min(l.grade) AS grade, min(l.decided) AS decided
    FROM line l
   GROUP BY l.review
),
left_out AS (
  -- Who could read it when the list was made, or may have, and does not stand on it.
  SELECT r.review AS review, count(*) AS accounts
    FROM (SELECT DISTINCT w.review AS review, w.asset AS asset, w.listed_at AS listed_at FROM review w) r
    JOIN store_reader_history n ON n.asset = r.asset AND n.valid_from <= r.listed_at AND (n.valid_to > r.listed_at OR n.valid_to IS NULL)
    LEFT JOIN line l ON l.review = r.review AND l.account = n.account
   WHERE l.review IS NULL
   GROUP BY r.review
),
best AS (
  -- The best review of the quarter: 0 not completed in time, 1 nobody can say, 2 in order.
  SELECT r.asset AS asset, r.quarter AS quarter, min(r.grade) AS grade, min(d.grade) AS line_grade,
         max(CASE WHEN r.due_at IS NULL OR r.sure = 0 THEN 1
                  WHEN r.completed_at >= r.due_at OR r.completed_at > $cutoff OR r.listed_at < r.quarter OR d.decided = 0
                       OR d.review IS NULL AND o.accounts > 0 THEN 0
                  WHEN r.completed_at IS NULL OR r.listed_at IS NULL OR r.completed_at < r.opened_at
                       OR r.listed_at > r.completed_at OR d.decided = 1 OR o.accounts > 0 THEN 1
                  ELSE 2 END) AS worth
    FROM review r
    LEFT JOIN listed d ON d.review = r.review
    LEFT JOIN left_out o ON o.review = r.review
   GROUP BY r.asset, r.quarter
),
decision AS (
  -- Each decision on an account by somebody: 0 by the person themselves or by no person, 1 nobody can say, 2 for a person
  -- to judge, 3 by somebody else.
  SELECT r.asset AS asset, r.quarter AS quarter, i.id AS decision, i.account AS account,
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
   GROUP BY r.asset, r.quarter, i.id, i.account
),
independent AS (
  -- A second reviewer makes good what somebody decided for themselves.
  SELECT x.asset AS asset, x.quarter AS quarter, min(x.worth) AS worth
    FROM (SELECT d.asset AS asset, d.quarter AS quarter, d.account AS account, max(d.worth) AS worth
            FROM decision d
           GROUP BY d.asset, d.quarter, d.account) x
   GROUP BY x.asset, x.quarter
),
removal AS (
  -- What was to be removed: 0 not gone in time, 1 nobody can say, 2 has days to go, 3 gone in time.
  SELECT r.asset AS asset, r.quarter AS quarter,
         min(CASE WHEN r.sure = 0 OR i.decision = 'unknown' OR i.decided_at IS NULL OR i.removed_at IS NULL THEN 1
                  WHEN i.removed_at <= i.decided_at + $removal_days * CAST(86400000 AS BIGINT) AND i.removed_at <= $cutoff THEN 3
                  WHEN i.decided_at + $removal_days * CAST(86400000 AS BIGINT) > $cutoff THEN 2
                  ELSE 0 END) AS worth,
         max(i.decided_at + $removal_days * CAST(86400000 AS BIGINT)) AS due_at
    FROM review r
    JOIN access_review_item i ON i.review = r.review
   WHERE i.decision = 'revoke' OR i.decision = 'modify' OR i.decision = 'unknown' OR r.sure = 0
   GROUP BY r.asset, r.quarter
)
SELECT p.asset AS item,
       p.label AS label,
       p.starts_at AS occurred_at,
       p.entry AS entry,
       CASE WHEN b.line_grade < p.grade AND b.line_grade < b.grade THEN b.line_grade
            WHEN b.grade < p.grade THEN b.grade
            ELSE p.grade END AS grade,
       CASE WHEN p.unsure = 1 OR p.ends_at IS NULL THEN 'no_evidence'
            WHEN b.worth = 2 THEN 'pass'
            WHEN p.ends_at - 1 > $cutoff THEN 'not_yet_due'
            WHEN p.concerned = 0 THEN 'needs_judgement'
            WHEN b.worth = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN p.unsure = 1 OR p.ends_at IS NULL THEN 'no_evidence'
            WHEN b.asset IS NULL THEN 'not_applicable'
            WHEN i.worth = 3 THEN 'pass'
            WHEN i.worth = 2 THEN 'needs_judgement'
            WHEN i.worth = 0 AND p.concerned = 1 THEN 'deviation'
            WHEN i.worth = 0 THEN 'needs_judgement'
            WHEN i.worth = 1 THEN 'no_evidence'
            ELSE 'not_applicable' END AS b,
       CASE WHEN p.unsure = 1 OR p.ends_at IS NULL THEN 'no_evidence'
            WHEN v.worth = 3 THEN 'pass'
            WHEN v.worth = 2 THEN 'not_yet_due'
            WHEN v.worth = 1 OR (v.worth = 0 AND p.concerned = 0) THEN 'no_evidence'
            WHEN v.worth = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS c,
       p.until AS a_until,
       p.until AS b_until,
       CASE WHEN v.due_at > $cutoff THEN $cutoff ELSE COALESCE(v.due_at, p.until) END AS c_until,
       p.asset AS scope
  FROM pair p
  LEFT JOIN best b ON b.asset = p.asset AND b.quarter = p.starts_at
  LEFT JOIN independent i ON i.asset = p.asset AND i.quarter = p.starts_at
  LEFT JOIN removal v ON v.asset = p.asset AND v.quarter = p.starts_at
