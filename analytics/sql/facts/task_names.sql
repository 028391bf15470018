-- What task instances known by id are called by those of their spans that say so.
--
-- grain: a task instance known by id
-- inputs: spans
-- columns:
--   task_instance: the instance
--   task: its task; the first in alphabetical order where senders disagree
SELECT task_instance, min(task) AS task
FROM spans
WHERE task_instance IS NOT NULL AND task IS NOT NULL
GROUP BY task_instance
