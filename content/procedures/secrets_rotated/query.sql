WITH life AS (
  SELECT s.id AS id, s.created_at AS created_at, s.custodian AS custodian, s.ended_at AS ended_at, s.grade AS grade,
         CASE WHEN s.ended = 0 THEN 1 WHEN s.ended = 1 AND s.ended_at IS NOT NULL THEN 1 ELSE 0 END AS end_known,
         CASE WHEN s.ended = 1 AND s.ended_at < $to AND s.ended_at <= $cutoff THEN s.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM secret s
   WHERE s.in_scope = 1
     AND (s.created_at IS NULL OR (s.created_at < $to AND s.created_at <= $cutoff))
     AND (s.ended = 0 OR s.ended IS NULL OR s.ended_at IS NULL OR s.ended_at > $from)
),
turn AS (
  -- The first version of each secret, and those of its changes whose instant is known, each once.
  SELECT f.id AS secret, 0 AS later, f.id AS id, f.created_at AS starts_at, NULL AS old_ended, NULL AS old_ended_at
    FROM life f
  UNION ALL
  SELECT r.secret AS secret, 1 AS later, min(r.id) AS id, r.rotated_at AS starts_at, r.old_ended AS old_ended, r.old_ended_at AS old_ended_at
    FROM secret_rotation r
   WHERE r.rotated_at <= $cutoff
   GROUP BY r.secret, r.rotated_at, r.old_ended, r.old_ended_at
),
version AS (
  SELECT t.secret AS secret, t.starts_at AS starts_at, lead(t.id) OVER turns AS next, lead(t.starts_at) OVER turns AS next_at,
         lead(t.old_ended) OVER turns AS old_ended, lead(t.old_ended_at) OVER turns AS old_ended_at
    FROM turn t
  WINDOW turns AS (PARTITION BY t.secret ORDER BY t.later ASC NULLS FIRST, t.starts_at ASC NULLS FIRST, t.id ASC NULLS FIRST)
),
ended AS (
  -- Until when each version was valid: at the least, and at the most. NULL where only the end of the secret itself bounds it.
  SELECT v.secret AS secret, v.starts_at AS starts_at, v.next AS next, v.next_at AS next_at, v.old_ended AS old_ended, v.old_ended_at AS old_ended_at,
         CASE WHEN v.next IS NULL OR v.old_ended = 0 OR v.old_ended_at > $cutoff THEN 1 ELSE 0 END AS still,
         CASE WHEN v.old_ended = 1 AND v.old_ended_at <= $cutoff AND (v.old_ended_at >= v.starts_at OR v.starts_at IS NULL) THEN v.old_ended_at END AS ended_at
    FROM version v
),
aged AS (
  -- 2 a version was valid for too long in the period, 1 nobody can say, 0 it was not.
  SELECT e.secret AS secret,
         max(CASE WHEN e.at_least > e.due_at AND e.at_least > $from THEN 2
                  WHEN e.at_most <= e.due_at OR e.at_most <= $from THEN 0
                  ELSE 1 END) AS worth
    FROM (SELECT x.secret AS secret, x.starts_at + CAST($rotation_days AS BIGINT) * 86400000 + 1 AS due_at,
                 CASE WHEN x.ended_at < f.ends_at THEN x.ended_at
                      WHEN x.ended_at IS NOT NULL OR (x.still = 1 AND f.end_known = 1) THEN f.ends_at
                      ELSE COALESCE(x.next_at, x.starts_at) END AS at_least,
                 -- What is said to have been revoked before there was another may have been another version.
                 CASE WHEN x.ended_at < f.ends_at AND x.next_at < f.ends_at THEN CASE WHEN x.next_at > x.ended_at THEN x.next_at ELSE x.ended_at END
                      ELSE f.ends_at END AS at_most
            FROM ended x
            JOIN life f ON f.id = x.secret) e
   GROUP BY e.secret
),
undated AS (
  SELECT r.secret AS secret
    FROM secret_rotation r
   WHERE r.rotated_at IS NULL
   GROUP BY r.secret
),
completed AS (
  -- Of the changes in the period whether the version before was revoked: 3 in time, 2 has hours to go, 1 nobody can say, 0 not in time.
  SELECT e.secret AS secret,
         min(CASE WHEN e.ended_at <= e.next_at + CAST($overlap_hours AS BIGINT) * 3600000 THEN 3
                  WHEN e.old_ended_at < e.starts_at THEN 1
                  WHEN e.old_ended_at > e.next_at + CAST($overlap_hours AS BIGINT) * 3600000 OR e.old_ended = 0 OR e.old_ended_at > $cutoff THEN
                       CASE WHEN e.next_at + CAST($overlap_hours AS BIGINT) * 3600000 > $cutoff THEN 2 ELSE 0 END
                  ELSE 1 END) AS worth
    FROM ended e
    JOIN life f ON f.id = e.secret
   WHERE e.next IS NOT NULL AND e.next_at >= $from AND e.next_at < f.ends_at
   GROUP BY e.secret
),
exposed AS (
  -- Of the exposures in the period, one by one, whether it was changed completely: as above.
  SELECT x.secret AS secret, x.id AS id, x.exposed_at + CAST($exposure_hours AS BIGINT) * 3600000 AS due_at, x.grade AS grade,
         max(CASE WHEN f.ended_at >= x.exposed_at AND f.ended_at <= x.exposed_at + CAST($exposure_hours AS BIGINT) * 3600000
                       AND f.ended_at <= $cutoff AND f.end_known = 1 THEN 3
                  WHEN r.rotated_at >= x.exposed_at AND r.old_ended = 1 AND r.old_ended_at >= x.exposed_at
                       AND r.old_ended_at <= x.exposed_at + CAST($exposure_hours AS BIGINT) * 3600000
                       AND r.rotated_at <= x.exposed_at + CAST($exposure_hours AS BIGINT) * 3600000
                       AND r.rotated_at <= $cutoff AND r.old_ended_at <= $cutoff THEN 3
                  WHEN x.exposed_at + CAST($exposure_hours AS BIGINT) * 3600000 > $cutoff THEN 2
                  WHEN f.end_known = 0 THEN 1
                  WHEN r.id IS NULL OR r.rotated_at < x.exposed_at OR r.rotated_at > x.exposed_at + CAST($exposure_hours AS BIGINT) * 3600000
                       OR r.old_ended = 0 OR r.old_ended_at > x.exposed_at + CAST($exposure_hours AS BIGINT) * 3600000 THEN 0
                  ELSE 1 END) AS worth
    FROM secret_exposure x
    JOIN life f ON f.id = x.secret
    LEFT JOIN secret_rotation r ON r.secret = x.secret
   WHERE x.exposed_at >= $from AND x.exposed_at < f.ends_at
   GROUP BY x.secret, x.id, x.exposed_at, x.grade
),
answered AS (
  SELECT x.secret AS secret, min(x.worth) AS worth, min(x.grade) AS grade, max(x.due_at) AS due_at
    FROM exposed x
   GROUP BY x.secret
),
custodian AS (
  -- Who answers for it when the period ends, or its use: 3 a person, 2 somebody who is no single person here, 1 nobody can say, 0 nobody who is here.
  SELECT f.id AS secret,
         CASE WHEN count(h.id) = 0 THEN 1
              WHEN max(CASE WHEN h.valid_from < f.ends_at AND (h.valid_to >= f.ends_at OR h.valid_to IS NULL) THEN 1 ELSE 0 END) = 0 THEN 0
              ELSE min(CASE WHEN h.valid_from >= f.ends_at OR h.valid_to < f.ends_at THEN NULL
                            WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                            WHEN h.valid_to IS NULL OR h.kind = 'unknown' THEN 1
                            WHEN h.kind = 'human' THEN 3
                            ELSE 2 END) END AS worth
    FROM life f
    LEFT JOIN account_history h ON h.id = f.custodian
   GROUP BY f.id, f.ends_at
)
SELECT s.id AS item,
       s.label AS label,
       $from AS occurred_at,
       s.entry AS entry,
       CASE WHEN g.grade < s.grade AND (n.grade IS NULL OR g.grade < n.grade) THEN g.grade
            WHEN n.grade < s.grade THEN n.grade
            ELSE s.grade END AS grade,
       CASE WHEN u.secret IS NOT NULL THEN 'no_evidence'
            WHEN a.worth = 2 THEN 'deviation'
            WHEN a.worth = 0 AND f.end_known = 1 THEN 'pass'
            ELSE 'no_evidence' END AS a,
       CASE WHEN c.worth = 0 THEN 'deviation'
            WHEN u.secret IS NOT NULL OR c.worth = 1 THEN 'no_evidence'
            WHEN c.worth = 2 THEN 'not_yet_due'
            WHEN c.worth = 3 AND f.end_known = 1 THEN 'pass'
            WHEN c.worth = 3 THEN 'no_evidence'
            ELSE 'not_applicable' END AS b,
       CASE WHEN n.worth = 0 THEN 'deviation'
            WHEN n.worth = 1 THEN 'no_evidence'
            WHEN n.worth = 2 THEN 'not_yet_due'
            WHEN n.worth = 3 AND f.end_known = 1 THEN 'pass'
            WHEN n.worth = 3 THEN 'no_evidence'
            ELSE 'not_applicable' END AS c,
       CASE WHEN f.end_known = 0 OR m.starts_at IS NULL THEN 'no_evidence'
            WHEN k.worth = 3 THEN 'pass'
            WHEN k.worth = 2 THEN 'needs_judgement'
            WHEN k.worth = 0 THEN 'deviation'
            ELSE 'no_evidence' END AS d,
       -- How far back a change may lie that still counts: the register has to have been kept since then.
       $from - CAST($rotation_days AS BIGINT) * 86400000 AS a_since,
       $from AS b_since,
       $from AS c_since,
       $from AS d_since,
       $from AS a_until,
       $from AS b_until,
       CASE WHEN n.worth = 0 THEN n.due_at ELSE $from END AS c_until,
       $from AS d_until
  FROM life f
  JOIN secret s ON s.id = f.id
  JOIN aged a ON a.secret = f.id
  JOIN custodian k ON k.secret = f.id
  -- Whether it is known to have been there in the period.
  LEFT JOIN (SELECT t.secret AS secret, min(t.starts_at) AS starts_at FROM turn t WHERE t.starts_at < $to GROUP BY t.secret) m ON m.secret = f.id
  LEFT JOIN undated u ON u.secret = f.id
  LEFT JOIN completed c ON c.secret = f.id
  LEFT JOIN answered n ON n.secret = f.id
  LEFT JOIN (SELECT r.secret AS secret, min(r.grade) AS grade FROM secret_rotation r GROUP BY r.secret) g ON g.secret = f.id
