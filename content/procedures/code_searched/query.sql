WITH landed AS (
  -- The revisions that count for a change: what landed, and what was proposed last.
  SELECT c.id AS change, c.revision AS revision, c.author AS author, c.merged_at AS merged_at
    FROM change c
   WHERE c.merged_at >= $from AND c.merged_at < $to
  UNION
  SELECT c.id AS change, pr.head AS revision, c.author AS author, c.merged_at AS merged_at
    FROM change c
    JOIN change_pull_request cp ON cp.change = c.id
    JOIN pull_request pr ON pr.id = cp.pull_request
   WHERE pr.head IS NOT NULL AND c.merged_at >= $from AND c.merged_at < $to
),
scan AS (
  -- Searches that ended before it landed, or may have; one that names no revision may be of any change.
  SELECT l.change AS change, l.author AS author, l.merged_at AS merged_at, s.id AS id, s.kind AS kind, s.completed_at AS completed_at,
         s.grave AS grave, s.grade AS grade,
         CASE WHEN s.kind IS NULL OR s.status IS NULL OR s.completed_at IS NULL THEN 0 ELSE 1 END AS sure
    FROM landed l
    JOIN code_scan s ON s.revision = l.revision
   WHERE (s.status = 'completed' OR s.status IS NULL) AND (s.completed_at <= l.merged_at OR s.completed_at IS NULL)
  UNION ALL
  SELECT c.id AS change, c.author AS author, c.merged_at AS merged_at, s.id AS id, s.kind AS kind, s.completed_at AS completed_at,
         s.grave AS grave, s.grade AS grade, 0 AS sure
    FROM change c
    JOIN code_scan s ON s.revision IS NULL
   WHERE c.merged_at >= $from AND c.merged_at < $to
     AND (s.status = 'completed' OR s.status IS NULL) AND (s.completed_at <= c.merged_at OR s.completed_at IS NULL)
),
decision AS (
  -- What was decided on what a search found: 3 by another person for a reason, 2 a person has to say, 1 nobody can say, 0 by the author, a machine,
  -- for no reason, or too late.
  SELECT s.change AS change, s.id AS scan, j.id AS id, j.grade AS grade,
         min(CASE WHEN j.reason = '' OR j.decided_at > s.merged_at OR j.decided_by = s.author OR bp.person = ap.person
                       OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN j.reason IS NULL OR j.decided_at IS NULL OR s.author IS NULL OR h.kind IS NULL OR h.kind = 'unknown'
                       OR bp.person IS NULL OR ap.person IS NULL THEN 1
                  WHEN h.kind <> 'human' OR al.person IS NOT NULL THEN 2
                  ELSE 3 END) AS worth
    FROM scan s
    JOIN code_scan_judgement j ON j.scan = s.id
    LEFT JOIN account_history h ON h.id = j.decided_by AND h.valid_from <= j.decided_at AND h.valid_to > j.decided_at
    LEFT JOIN account_person bp ON bp.account = j.decided_by AND bp.valid_from <= j.decided_at AND bp.valid_to > j.decided_at
    LEFT JOIN account_person ap ON ap.account = s.author AND ap.valid_from <= s.merged_at AND ap.valid_to > s.merged_at
    LEFT JOIN person_alike al ON al.person = bp.person AND al.other_person = ap.person
   GROUP BY s.change, s.id, j.id, j.grade
),
found AS (
  -- What each search says of each matter that it may be about: 3 nothing grave that nobody let through, else as above.
  SELECT s.change AS change, m.kind AS matter, s.sure AS sure, s.id AS id,
         CASE WHEN d.grade < s.grade THEN d.grade ELSE s.grade END AS grade,
         -- The same search told twice is one, and what was decided on either was decided.
         CASE WHEN s.grave = 0 THEN 3
              WHEN s.grave IS NULL OR s.sure = 0 THEN 1
              ELSE COALESCE(max(d.worth) OVER (PARTITION BY s.change, m.kind, s.sure, s.completed_at, s.grave), 0) END AS worth,
         CASE WHEN s.sure = 1 AND s.completed_at = max(CASE WHEN s.sure = 1 THEN s.completed_at END) OVER (PARTITION BY s.change, m.kind) THEN 1 ELSE 0 END AS last
    FROM scan s
    JOIN (SELECT 'code' AS kind UNION ALL SELECT 'dependencies' AS kind) m ON m.kind = s.kind OR s.kind IS NULL
    LEFT JOIN (SELECT x.change AS change, x.scan AS scan, max(x.worth) AS worth, min(x.grade) AS grade
                 FROM decision x
                GROUP BY x.change, x.scan) d ON d.change = s.change AND d.scan = s.id
),
matter AS (
  SELECT f.change AS change, f.matter AS matter, min(f.grade) AS grade, max(f.sure) AS searched,
         min(CASE WHEN f.last = 1 THEN f.worth END) AS known, min(CASE WHEN f.sure = 0 THEN f.worth END) AS unsure
    FROM found f
   GROUP BY f.change, f.matter
),
outcome AS (
  -- The worse of both matters. A search of which not all is known may be the last one.
  SELECT m.change AS change, min(m.grade) AS grade,
         max(CASE WHEN m.matter = 'code' THEN 1 + m.searched ELSE 0 END) AS code,
         max(CASE WHEN m.matter = 'dependencies' THEN 1 + m.searched ELSE 0 END) AS dependencies,
         min(CASE WHEN m.unsure IS NULL THEN m.known WHEN m.known = 3 AND m.unsure = 3 THEN 3 ELSE 1 END) AS worth
    FROM matter m
   GROUP BY m.change
)
SELECT c.id AS item,
       c.label AS label,
       c.merged_at AS occurred_at,
       c.entry AS entry,
       CASE WHEN o.grade < c.grade THEN o.grade ELSE c.grade END AS grade,
       CASE WHEN o.code = 2 THEN 'pass' WHEN o.code = 1 OR t.hidden = 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE WHEN o.dependencies = 2 THEN 'pass' WHEN o.dependencies = 1 OR t.hidden = 1 THEN 'no_evidence' ELSE 'deviation' END AS b,
       CASE WHEN o.worth = 1 OR t.hidden = 1 THEN 'no_evidence' WHEN o.worth = 3 THEN 'pass' WHEN o.worth = 2 THEN 'needs_judgement'
            WHEN o.worth = 0 THEN 'deviation' ELSE 'not_applicable' END AS c,
       -- Nothing of it can have been searched before it was written; where nobody knows when that was, in the month before it landed.
       t.since AS a_since,
       t.since AS b_since,
       t.since AS c_since
  FROM change c
  LEFT JOIN outcome o ON o.change = c.id
  JOIN (SELECT x.id AS id,
               min(CASE WHEN x.authored_at IS NULL OR (pr.id IS NOT NULL AND pr.opened_at IS NULL) THEN x.merged_at - CAST(31 AS BIGINT) * 86400000
                        WHEN pr.opened_at < x.merged_at AND pr.opened_at < x.authored_at THEN pr.opened_at
                        WHEN x.authored_at < x.merged_at THEN x.authored_at
                        ELSE x.merged_at END) AS since,
               -- What was proposed last may be a revision that nobody knows, with searches of its own.
               max(CASE WHEN pr.id IS NOT NULL AND pr.head IS NULL THEN 1 ELSE 0 END) AS hidden
          FROM change x
          LEFT JOIN change_pull_request cp ON cp.change = x.id
          LEFT JOIN pull_request pr ON pr.id = cp.pull_request
         GROUP BY x.id) t ON t.id = c.id
 WHERE c.merged_at >= $from AND c.merged_at < $to AND c.in_scope = 1
