-- Every target that matched, as the measurement judges it.
--
-- grain: a target that matched
-- inputs: re_entries
-- columns like: re_entries
SELECT span_id, certainty, verdict, from_system, from_screen, from_field
FROM re_entries
ORDER BY span_id
