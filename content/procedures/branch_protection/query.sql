WITH version AS (
  -- Versions of the default branch's rule that touch the period, cut to it.
  SELECT r.id AS repository, b.id AS rule, b.protected AS protected, b.approvals_required AS approvals_required,
         b.allows_force_push AS allows_force_push, b.grade AS grade,
         -- A version that began before, and whose end is unknown, may have ended before.
         CASE WHEN b.valid_to IS NULL AND b.valid_from < $from THEN 0 ELSE 1 END AS touches,
         CASE WHEN b.valid_from < $from THEN $from ELSE b.valid_from END AS starts_at,
         CASE WHEN b.valid_to IS NULL THEN NULL WHEN b.valid_to > $to THEN $to ELSE b.valid_to END AS ends_at
    FROM repository r
    JOIN branch_rule_history b ON b.repository = r.id AND b.branch = r.default_branch
   WHERE b.valid_from < $to AND (b.valid_to > $from OR b.valid_to IS NULL)
),
told AS (
  -- Each version, and until when the ones before it are known to have held: a strong look within that time takes nothing away.
  SELECT v.repository AS repository, v.protected AS protected, v.approvals_required AS approvals_required,
         v.allows_force_push AS allows_force_push, v.grade AS grade, v.touches AS touches, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(CASE WHEN v.protected = 1 THEN v.ends_at END)
           OVER (PARTITION BY v.repository ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at DESC NULLS LAST, v.rule ASC NULLS FIRST
                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS told_until
    FROM version v
),
held AS (
  -- The time that is proven protected, each instant once: a version counts from where the ones before it ended.
  SELECT v.repository AS repository, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.repository ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.rule ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.protected = 1 AND v.ends_at IS NOT NULL
),
covered AS (
  SELECT h.repository AS repository,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS protected_ms
    FROM held h
   GROUP BY h.repository
),
seen AS (
  SELECT v.repository AS repository, min(v.grade) AS grade,
         max(CASE WHEN v.protected = 0 AND v.touches = 1 THEN 1 ELSE 0 END) AS seen_off,
         max(CASE WHEN v.protected IS NULL OR v.protected = 0 AND v.touches = 0 THEN 1 ELSE 0 END) AS unknown,
         max(CASE WHEN v.protected IS NULL OR v.ends_at IS NULL THEN 1 ELSE 0 END) AS unclear,
         -- The weakest version that protects: 2 strong enough, 1 unknown, 0 too weak. What ends nobody knows when may have
         -- given way to anything.
         min(CASE WHEN v.protected = 1 AND v.touches = 1 AND (v.approvals_required < $approvals OR v.allows_force_push = 1) THEN 0
                  WHEN v.ends_at IS NULL AND v.told_until > v.starts_at AND v.protected = 1
                       AND v.approvals_required >= $approvals AND v.allows_force_push = 0 THEN 2
                  WHEN v.ends_at IS NULL THEN 1
                  WHEN v.protected = 0 AND v.touches = 1 THEN 2
                  WHEN v.protected = 1 AND v.approvals_required >= $approvals AND v.allows_force_push = 0 THEN 2
                  ELSE 1 END) AS strength
    FROM told v
   GROUP BY v.repository
)
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       CASE WHEN s.grade < r.grade THEN s.grade ELSE r.grade END AS grade,
       CASE WHEN r.default_branch IS NULL THEN 'no_evidence'
            WHEN s.repository IS NULL THEN 'not_applicable'
            WHEN s.seen_off = 1 THEN 'deviation'
            WHEN s.unknown = 1 THEN 'no_evidence'
            ELSE 'pass' END AS a,
       CASE WHEN r.default_branch IS NULL THEN 'no_evidence'
            WHEN s.seen_off = 1 THEN 'deviation'
            WHEN l.protected_ms = $to - $from THEN 'pass'
            WHEN s.unclear = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN r.default_branch IS NULL THEN 'no_evidence'
            WHEN s.repository IS NULL THEN 'not_applicable'
            WHEN s.strength = 0 THEN 'deviation'
            WHEN s.strength = 2 THEN 'pass'
            ELSE 'no_evidence' END AS c
  FROM repository r
  LEFT JOIN seen s ON s.repository = r.id
  LEFT JOIN covered l ON l.repository = r.id
 WHERE r.in_scope = 1
