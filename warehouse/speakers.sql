CREATE OR REPLACE VIEW statement_attributes AS
SELECT
    ss.statement_id,
    i.name AS speaker,
    f.attribute,
    f.value,
    f.source
FROM statement_speakers AS ss
JOIN speaker_identities AS i USING (speaker_id)
JOIN statements AS st USING (statement_id)
JOIN articles AS a USING (article_id)
JOIN speaker_attributes AS f
    ON f.name = i.name
    AND (f.valid_from IS NULL OR a.published_at::DATE >= f.valid_from)
    AND (f.valid_to IS NULL OR a.published_at::DATE <= f.valid_to);

COMMENT ON VIEW statement_attributes IS 'What the speaker file says of a statement''s speaker on the day of publication; without a date of publication, only what always holds.';
