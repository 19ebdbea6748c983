WITH life AS (
  -- The part of the period in which each was used, as long as it may be.
  SELECT r.id AS id, r.created_at AS created_at,
         CASE WHEN r.created_at IS NOT NULL AND (r.ended = 0 OR (r.ended = 1 AND r.ended_at IS NOT NULL)) THEN 1 ELSE 0 END AS known,
         CASE WHEN r.created_at > $from THEN r.created_at ELSE $from END AS starts_at,
         CASE WHEN r.ended = 1 AND r.ended_at < $to AND r.ended_at <= $cutoff THEN r.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM release_right r
   WHERE r.in_scope = 1
     AND (r.created_at IS NULL OR (r.created_at < $to AND r.created_at <= $cutoff))
     AND (r.ended = 0 OR r.ended IS NULL OR r.ended_at IS NULL OR r.ended_at > $from)
),
holding AS (
  -- Who had it meanwhile: to `least` for certain, and to `most` at the most. Of what ends nobody knows when only the first instant is certain.
  SELECT f.id AS id, x.account AS account, x.grade AS grade,
         CASE WHEN x.valid_from < f.starts_at THEN f.starts_at ELSE x.valid_from END AS starts_at,
         CASE WHEN x.valid_to < f.ends_at THEN x.valid_to ELSE f.ends_at END AS most,
         CASE WHEN x.valid_to IS NULL THEN x.valid_from + 1 WHEN x.valid_to < f.ends_at THEN x.valid_to ELSE f.ends_at END AS least
    FROM life f
    JOIN release_right_holder_history x ON x.release_right = f.id AND x.valid_from < f.ends_at AND (x.valid_to > f.starts_at OR x.valid_to IS NULL)
),
named AS (
  -- What the weakest login is that had it: 3 somebody's or a machine's own, 2 a person has to say, 1 nobody can say, 0 shared.
  SELECT k.id AS id, min(k.grade) AS grade,
         min(CASE WHEN h.kind = 'shared' AND k.starts_at < k.least THEN 0
                  WHEN h.kind IS NULL OR h.kind = 'unknown' OR h.kind = 'shared' THEN 1
                  WHEN h.kind = 'break_glass' THEN 2
                  ELSE 3 END) AS worth
    FROM holding k
    LEFT JOIN account_history h ON h.id = k.account AND h.valid_from < k.most AND (h.valid_to > k.starts_at OR h.valid_to IS NULL)
   GROUP BY k.id
),
hand AS (
  -- Whose hands: a person with two logins is one. A login that nobody could tell may be anybody's.
  SELECT k.id AS id, COALESCE(p.person, k.account) AS who, k.starts_at AS starts_at, k.most AS most,
         CASE WHEN k.account IS NULL THEN k.starts_at ELSE k.least END AS least,
         CASE WHEN k.account IS NULL THEN 1 ELSE 0 END AS anybody
    FROM holding k
    LEFT JOIN account_person p ON p.account = k.account AND p.valid_from < k.most AND p.valid_to > k.starts_at
),
counted AS (
  -- How many had it in the instants in which somebody came to have it: for certain, and as many as may be.
  SELECT s.id AS id, s.starts_at AS starts_at,
         count(DISTINCT CASE WHEN h.least > s.starts_at THEN h.who END) AS certain,
         count(DISTINCT h.who) + COALESCE(CAST(sum(h.anybody) AS BIGINT), 0) AS perhaps
    FROM (SELECT DISTINCT k.id AS id, k.starts_at AS starts_at FROM holding k) s
    JOIN hand h ON h.id = s.id AND h.starts_at <= s.starts_at AND h.most > s.starts_at
   GROUP BY s.id, s.starts_at
),
few AS (
  SELECT n.id AS id, max(n.certain) AS certain, max(n.perhaps) AS perhaps
    FROM counted n
   GROUP BY n.id
),
quarter AS (
  SELECT d.quarter AS quarter, min(d.starts_at) AS starts_at, max(d.ends_at) AS ends_at
    FROM calendar_day d
   WHERE d.calendar = $calendar AND d.zone = $tz
     -- No quarter is longer than 93 days.
     AND d.starts_at >= $from - CAST(93 AS BIGINT) * 86400000 AND d.starts_at < $to + CAST(93 AS BIGINT) * 86400000
   GROUP BY d.quarter
),
owed AS (
  -- The quarters that end in the period and in which it was used from beginning to end, or may have been.
  SELECT f.id AS id, q.starts_at AS starts_at, q.ends_at AS ends_at
    FROM life f
    JOIN quarter q ON q.ends_at > $from AND q.ends_at - 1 <= $as_of AND q.ends_at <= f.ends_at
         AND (f.created_at <= q.starts_at OR f.created_at IS NULL)
),
gone_through AS (
  -- Of each quarter the best look: 3 by a named person, 2 a person has to say, 1 nobody can say, 0 by a machine, or none.
  SELECT o.id AS id, o.starts_at AS starts_at, min(v.grade) AS grade,
         max(CASE WHEN v.id IS NULL THEN 0
                  WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN v.reviewed_at IS NULL OR h.kind IS NULL OR h.kind = 'unknown' THEN 1
                  WHEN h.kind = 'human' THEN 3
                  ELSE 2 END) AS worth
    FROM owed o
    LEFT JOIN release_right_review v ON v.release_right = o.id
          AND ((v.reviewed_at >= o.starts_at AND v.reviewed_at < o.ends_at) OR v.reviewed_at IS NULL)
    LEFT JOIN account_history h ON h.id = v.reviewed_by AND h.valid_from <= COALESCE(v.reviewed_at, o.starts_at) AND h.valid_to > COALESCE(v.reviewed_at, o.starts_at)
   GROUP BY o.id, o.starts_at
),
confirmed AS (
  SELECT g.id AS id, min(g.grade) AS grade, min(g.worth) AS worth, min(g.starts_at) AS first_owed
    FROM gone_through g
   GROUP BY g.id
),
day AS (
  -- Whether the calendar knows the period.
  SELECT count(*) AS known
    FROM calendar_day d
   WHERE d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= $as_of AND d.ends_at > $as_of
)
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       CASE WHEN n.grade < r.grade AND n.grade < COALESCE(c.grade, r.grade) THEN n.grade
            WHEN c.grade < r.grade THEN c.grade
            ELSE r.grade END AS grade,
       CASE WHEN n.worth = 0 AND f.known = 1 THEN 'deviation'
            WHEN n.id IS NULL AND f.known = 1 THEN 'not_applicable'
            WHEN n.worth = 1 OR f.known = 0 THEN 'no_evidence'
            WHEN n.worth = 2 THEN 'needs_judgement'
            ELSE 'pass' END AS a,
       CASE WHEN w.certain > $hands AND f.known = 1 THEN 'deviation'
            WHEN w.perhaps > $hands OR f.known = 0 THEN 'no_evidence'
            ELSE 'pass' END AS b,
       CASE WHEN f.known = 0 OR y.known = 0 THEN 'no_evidence'
            WHEN c.worth = 3 THEN 'pass'
            WHEN c.worth = 2 THEN 'needs_judgement'
            WHEN c.worth = 1 THEN 'no_evidence'
            WHEN c.worth = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS c,
       CASE WHEN r.kind = 'channel' THEN 'not_applicable'
            WHEN f.known = 0 THEN 'no_evidence'
            WHEN r.kept_in = 'hardware' OR r.kept_in = 'vault' OR (r.kept_in = 'build_system' AND $build_system_counts = 1) THEN 'pass'
            WHEN r.kind IS NULL OR r.kept_in IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS d,
       $from AS a_since,
       $from AS b_since,
       -- The first quarter that counts may have begun before the period.
       CASE WHEN c.first_owed < $from THEN c.first_owed ELSE $from END AS c_since,
       $from AS d_since
  FROM life f
  JOIN release_right r ON r.id = f.id
  CROSS JOIN day y
  LEFT JOIN named n ON n.id = f.id
  LEFT JOIN few w ON w.id = f.id
  LEFT JOIN confirmed c ON c.id = f.id
