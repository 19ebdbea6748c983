WITH began AS (
  -- Who began each step: 2 somebody other than the builder, or a named rule, 1 nobody can say, 0 the builder, or a program.
  SELECT s.id AS step, s.release AS release, s.started_at AS started_at, s.percent AS percent, min(s.grade) AS grade,
         min(CASE WHEN s.rule IS NOT NULL THEN 2
                  WHEN h.kind = 'bot' OR h.kind = 'service' OR sp.person = bp.person THEN 0
                  WHEN sp.person IS NULL OR bp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 1
                  WHEN al.person IS NOT NULL THEN 1
                  ELSE 2 END) AS starter
    FROM rollout_step s
    JOIN release r ON r.id = s.release
    LEFT JOIN account_history h ON h.id = s.started_by AND h.valid_from <= s.started_at AND h.valid_to > s.started_at
    LEFT JOIN account_person sp ON sp.account = s.started_by AND sp.valid_from <= s.started_at AND sp.valid_to > s.started_at
    LEFT JOIN account_person bp ON bp.account = r.built_by AND bp.valid_from <= s.started_at AND bp.valid_to > s.started_at
    LEFT JOIN person_alike al ON al.person = sp.person AND al.other_person = bp.person
   WHERE s.started_at <= $cutoff
   GROUP BY s.id, s.release, s.started_at, s.percent
),
step AS (
  -- What began in one instant is one step, as wide as its widest.
  SELECT b.release AS release, b.started_at AS started_at, min(b.starter) AS starter, min(b.grade) AS grade,
         CASE WHEN count(*) = count(b.percent) THEN max(b.percent) END AS percent
    FROM began b
   GROUP BY b.release, b.started_at
),
turn AS (
  SELECT s.release AS release, s.started_at AS started_at, s.percent AS percent, s.starter AS starter, s.grade AS grade,
         row_number() OVER (PARTITION BY s.release ORDER BY s.started_at ASC NULLS FIRST) AS place,
         lag(s.started_at) OVER (PARTITION BY s.release ORDER BY s.started_at ASC NULLS FIRST) AS before_at,
         lag(s.percent) OVER (PARTITION BY s.release ORDER BY s.started_at ASC NULLS FIRST) AS percent_before
    FROM step s
),
gate AS (
  -- How the step before was found, by the time of this one: 3 healthy, 1 nobody can say, 0 not.
  SELECT t.release AS release, t.started_at AS started_at,
         min(CASE WHEN s.health = 'healthy' AND s.health_at >= s.started_at + CAST($watch_minutes AS BIGINT) * 60000 AND s.health_at <= t.started_at THEN 3
                  WHEN s.health = 'unknown' OR (s.health = 'healthy' AND s.health_at IS NULL) THEN 1
                  ELSE 0 END) AS worth
    FROM turn t
    JOIN rollout_step s ON s.release = t.release AND s.started_at = t.before_at
   GROUP BY t.release, t.started_at
),
widening AS (
  -- Whether it reached more people than before: 1 yes, 0 no, NULL when nobody can say. The first step does where it is more than agreed.
  SELECT t.release AS release, t.started_at AS started_at, t.percent AS percent, t.place AS place, t.starter AS starter, t.grade AS grade, g.worth AS gate,
         CASE WHEN t.place = 1 THEN CASE WHEN t.percent > $first_percent THEN 1 WHEN t.percent <= $first_percent THEN 0 END
              WHEN t.percent > t.percent_before THEN 1
              WHEN t.percent <= t.percent_before THEN 0 END AS wider
    FROM turn t
    LEFT JOIN gate g ON g.release = t.release AND g.started_at = t.started_at
),
worth AS (
  SELECT w.release AS release, w.started_at AS started_at, w.percent AS percent, w.place AS place, w.grade AS grade,
         CASE WHEN w.place = 1 OR w.wider = 0 THEN NULL WHEN w.gate = 3 THEN 3 WHEN w.wider = 1 THEN w.gate ELSE 1 END AS looked,
         CASE WHEN w.wider = 0 THEN NULL WHEN w.starter = 2 THEN 3 WHEN w.wider IS NULL THEN 1 WHEN w.starter = 1 THEN 2 ELSE 0 END AS begun
    FROM widening w
),
judged AS (
  SELECT w.release AS release, min(w.grade) AS grade, count(*) AS steps,
         min(CASE WHEN w.place = 1 THEN w.percent END) AS first_percent,
         min(w.looked) AS looked, min(w.begun) AS begun,
         max(CASE WHEN w.looked = 0 THEN w.started_at END) AS last_blind_at,
         max(CASE WHEN w.begun = 0 THEN w.started_at END) AS last_alone_at,
         min(CASE WHEN w.percent >= 100 THEN w.started_at END) AS everybody_at
    FROM worth w
   GROUP BY w.release
),
seen AS (
  -- The last instant at which it can have been widened: as long as there is anybody left, up to the cut-off, of whose own instant
  -- nobody who looks now can speak.
  SELECT r.id AS release,
         CASE WHEN j.everybody_at > r.released_at THEN j.everybody_at
              WHEN j.everybody_at <= r.released_at OR $cutoff <= r.released_at THEN r.released_at
              ELSE $cutoff - 1 END AS until_at
    FROM release r
    LEFT JOIN judged j ON j.release = r.id
)
SELECT r.id AS item,
       r.label AS label,
       r.released_at AS occurred_at,
       r.entry AS entry,
       CASE WHEN j.grade < r.grade THEN j.grade ELSE r.grade END AS grade,
       CASE WHEN j.first_percent <= $first_percent THEN 'pass'
            WHEN j.first_percent > $first_percent OR j.steps IS NULL THEN 'deviation'
            ELSE 'no_evidence' END AS a,
       CASE j.looked WHEN 3 THEN 'pass' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation' ELSE 'not_applicable' END AS b,
       CASE j.begun WHEN 3 THEN 'pass' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation' ELSE 'not_applicable' END AS c,
       r.released_at AS a_until,
       CASE WHEN j.last_blind_at > r.released_at THEN j.last_blind_at WHEN j.looked = 0 THEN r.released_at ELSE s.until_at END AS b_until,
       CASE WHEN j.last_alone_at > r.released_at THEN j.last_alone_at WHEN j.begun = 0 THEN r.released_at ELSE s.until_at END AS c_until
  FROM release r
  JOIN seen s ON s.release = r.id
  LEFT JOIN judged j ON j.release = r.id
 WHERE r.released_at >= $from AND r.released_at < $to AND r.in_scope = 1
