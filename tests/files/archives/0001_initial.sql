-- 0001_initial: see tests/archives.py

INSERT INTO "account" ("id", "username", "email", "password_hash", "created_at", "last_access_at", "disabled_at") VALUES
(1, '990001', '990001@example.it', '$argon2id$v=19$m=19456,t=2,p=1$qqwPCy3OgmaGP0/aB4Kbfg$oioTLfHsvhZZYxyYs2oOeAxx+mc0kY7DlR+RsZfsmlU', '2026-11-23 16:42:43.467029', NULL, NULL);

INSERT INTO "customer" ("id", "code", "name", "tax_code", "vat_number", "street", "street_number", "postcode", "city", "province", "phone", "fax", "email", "active") VALUES
(1, '990001', 'CLIENTE 90001 S.P.A.', NULL, '00000090001', 'VIA DI PROVA', '35', '59100', 'PRATO', 'PO', NULL, NULL, NULL, TRUE),
(2, '990004', 'D''ANCONA «È» & FIGLI', 'RSSMRA80A01H501U', NULL, 'VIA DI PROVA', '35', '59100', 'PRATO', 'PO', NULL, NULL, NULL, TRUE);

INSERT INTO "supply_point" ("id", "code", "customer_id", "service", "pod", "pdr", "street", "street_number", "postcode", "city", "province", "active_from", "ended_on", "meter_serial", "digits", "distributor", "distributor_vat", "annual_use", "committed_power_kw", "available_power_kw", "voltage_v", "phases", "meter_type", "meter_class", "coefficient_c", "has_corrector", "corrector_digits", "corrector_serial", "remi", "use_category") VALUES
(1, 'PR090002', 1, 'GAS', NULL, '00000000090002', 'VIA PROVA', '5', '48124', 'RAVENNA', 'RA', NULL, NULL, 'M90002', 5, NULL, NULL, 1200, NULL, NULL, NULL, NULL, NULL, 'G4', NULL, FALSE, NULL, NULL, NULL, NULL),
(2, 'PR090003', 1, 'EE', 'IT001E00090003', NULL, 'VIA PROVA', '5', '48124', 'RAVENNA', 'RA', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, FALSE, NULL, NULL, NULL, NULL);

INSERT INTO "contract" ("id", "code", "supply_id", "offer", "market", "use", "starts_on", "ends_on", "price_type", "billing_period", "payment_method", "masked_iban", "deposit_cents") VALUES
(1, 'C90011', 2, 'LUCE SERENA', NULL, NULL, '2024-01-01', NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO "account_grant" ("id", "account_id", "customer_id") VALUES
(1, 1, 1);

INSERT INTO "imported_file" ("id", "name", "kind", "sha256", "size", "state", "report", "at", "settled_at") VALUES
(1, 'clienti.csv', 'clienti', '0000000000000000000000000000000000000000000000000000000000015f9d', 1000, 'applied', '{"rows": 0, "added": 0, "changed": 0, "unchanged": 0, "unknown": [], "notes": [], "warning_count": 0, "warnings": [], "error_count": 0, "errors": []}', '2026-11-23 16:42:43.499375', '2026-11-23 16:42:43.499378');

INSERT INTO "stored_file" ("id", "path", "name", "size", "sha256") VALUES
(1, 'f1-0.pdf', 'f1-0.pdf', 15, '14bcd090baf31edba64e9cbd8cdfc15f943344aa72cb3675ad8e91bfcbce03ad'),
(2, 'd1001-1.pdf', 'd1001-1.pdf', 15, '14bcd090baf31edba64e9cbd8cdfc15f943344aa72cb3675ad8e91bfcbce03ad'),
(3, 'd1101-2.pdf', 'd1101-2.pdf', 15, '14bcd090baf31edba64e9cbd8cdfc15f943344aa72cb3675ad8e91bfcbce03ad'),
(4, 'd1201-3.pdf', 'd1201-3.pdf', 15, '14bcd090baf31edba64e9cbd8cdfc15f943344aa72cb3675ad8e91bfcbce03ad');

INSERT INTO "invoice" ("id", "number", "year", "date", "customer_id", "kind", "due_on", "amount_cents", "paid", "iban", "payment_code", "document_id", "names_supplies", "supply_id") VALUES
(1, 'F90005', 2026, '2026-11-23', 1, 'invoice', '2026-12-13', 12345, FALSE, 'IT60X0542811101000000123456', NULL, 1, TRUE, 1);

INSERT INTO "instalment" ("id", "invoice_id", "due_on", "amount_cents") VALUES
(1, 1, '2026-12-13', 12345);

INSERT INTO "invoice_supply" ("invoice_id", "supply_id") VALUES
(1, 1);

INSERT INTO "meter_reading" ("id", "supply_id", "day", "source", "counter", "corrector", "meter_serial") VALUES
(1, 1, '2026-11-23', 'distributore', 950, NULL, 'M90002'),
(2, 1, '2026-11-22', 'distributore', 950, NULL, 'M90002');

INSERT INTO "outgoing_mail" ("id", "kind", "recipient", "account_id", "params", "state", "attempts", "created_at", "due_at", "sent_at", "last_error") VALUES
(1, 'password_changed', '990001@example.it', 1, '{}', 'sent', 0, '2026-11-23 16:42:43.497524', '2026-11-23 16:42:43.497524', NULL, NULL),
(2, 'password_changed', '990001@example.it', 1, '{}', 'queued', 0, '2026-11-23 16:42:43.498518', '2026-11-23 16:42:43.498518', NULL, NULL);

INSERT INTO "reading_window" ("id", "key", "opens_at", "closes_at", "supply_id", "distributor_vat") VALUES
(1, 'test-90012', '2026-11-21 16:42:43.495865', '2026-11-25 16:42:43.495865', NULL, NULL);

INSERT INTO "self_reading" ("id", "supply_id", "day", "counter", "corrector", "confirmed", "meter_serial", "account_id", "entered_at", "state", "batch_id", "cancelled_at", "reason") VALUES
(1, 1, '2026-11-23', 100, NULL, FALSE, 'M90002', NULL, '2026-11-23 16:42:43.493999', 'pending', NULL, NULL, NULL);