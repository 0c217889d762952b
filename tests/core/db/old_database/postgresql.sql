-- A PostgreSQL database as the fifteen numbered migrations made it (commit ab43fdb), with a booking that is paid.
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE car (
    id TEXT NOT NULL,
    brand TEXT NOT NULL,
    model TEXT NOT NULL,
    year_from BIGINT NOT NULL,
    year_to BIGINT,
    mounts JSON NOT NULL,
    aliases JSON NOT NULL,
    CONSTRAINT pk_car PRIMARY KEY (id)
);
CREATE TABLE catalogue_version (
    id BIGSERIAL NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_catalogue_version PRIMARY KEY (id)
);
CREATE TABLE closure (
    day DATE NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_closure PRIMARY KEY (day)
);
CREATE TABLE counter (
    name TEXT NOT NULL,
    last BIGINT NOT NULL,
    CONSTRAINT pk_counter PRIMARY KEY (name)
);
CREATE TABLE customer (
    id BIGSERIAL NOT NULL,
    name TEXT,
    phone TEXT,
    phone_proven BOOLEAN NOT NULL,
    email TEXT,
    clerk_user TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_customer PRIMARY KEY (id),
    CONSTRAINT uq_customer_clerk_user UNIQUE (clerk_user)
);
CREATE INDEX ix_customer_phone ON customer (phone);
CREATE TABLE inbound (
    channel TEXT NOT NULL,
    event_id TEXT NOT NULL,
    address TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    raw JSON,
    error TEXT,
    CONSTRAINT pk_inbound PRIMARY KEY (channel, event_id)
);
CREATE INDEX ix_inbound_failed ON inbound (received_at) WHERE error IS NOT NULL;
CREATE TABLE part (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    brand TEXT NOT NULL,
    price BIGINT NOT NULL,
    discount BIGINT NOT NULL,
    on_hand BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    low_stock_threshold BIGINT NOT NULL,
    warranty_months BIGINT NOT NULL,
    mount TEXT,
    adapts_mount TEXT,
    adapts_into TEXT,
    description TEXT NOT NULL,
    specifications JSON NOT NULL,
    images JSON NOT NULL,
    compatible_vehicles JSON NOT NULL,
    aliases JSON NOT NULL,
    is_available BOOLEAN NOT NULL,
    is_pre_order_only BOOLEAN NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_part PRIMARY KEY (id),
    CONSTRAINT ck_part_price CHECK (price >= 0 AND discount BETWEEN 0 AND 100),
    CONSTRAINT ck_part_stock CHECK (reserved >= 0 AND reserved <= on_hand)
);
CREATE TABLE payment_notification (
    id BIGSERIAL NOT NULL,
    order_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    body JSON NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    attempts BIGINT NOT NULL,
    outcome TEXT,
    CONSTRAINT pk_payment_notification PRIMARY KEY (id),
    CONSTRAINT uq_payment_notification_order_id_digest UNIQUE (order_id, digest)
);
CREATE INDEX ix_payment_notification_due_at ON payment_notification (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE secret (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT pk_secret PRIMARY KEY (name)
);
CREATE TABLE service (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    price BIGINT NOT NULL,
    discount BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    description TEXT NOT NULL,
    included_items JSON NOT NULL,
    installs JSON NOT NULL,
    skill TEXT,
    onsite BOOLEAN NOT NULL,
    aliases JSON NOT NULL,
    is_available BOOLEAN NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_service PRIMARY KEY (id),
    CONSTRAINT ck_service_minutes CHECK (minutes > 0),
    CONSTRAINT ck_service_price CHECK (price >= 0 AND discount BETWEEN 0 AND 100)
);
CREATE TABLE slot (
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cap BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    CONSTRAINT pk_slot PRIMARY KEY (starts_at),
    CONSTRAINT ck_slot_capacity CHECK (taken >= 0 AND taken <= cap)
);
CREATE TABLE technician (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    skills JSON NOT NULL,
    phone TEXT,
    email TEXT,
    photo_url TEXT,
    days_off JSON NOT NULL,
    rating_sum BIGINT NOT NULL,
    rating_count BIGINT NOT NULL,
    total_jobs BIGINT NOT NULL,
    aliases JSON NOT NULL,
    is_available BOOLEAN NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_technician PRIMARY KEY (id)
);
CREATE TABLE contact (
    id BIGSERIAL NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    customer_id BIGINT NOT NULL,
    language TEXT NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE,
    unreachable_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_contact PRIMARY KEY (id),
    CONSTRAINT fk_contact_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT uq_contact_channel_address UNIQUE (channel, address)
);
CREATE INDEX ix_contact_customer_id ON contact (customer_id);
CREATE TABLE leave (
    technician_id TEXT NOT NULL,
    day DATE NOT NULL,
    CONSTRAINT pk_leave PRIMARY KEY (technician_id, day),
    CONSTRAINT fk_leave_technician_id FOREIGN KEY(technician_id) REFERENCES technician (id)
);
CREATE TABLE booking (
    id BIGSERIAL NOT NULL,
    code TEXT NOT NULL,
    customer_id BIGINT NOT NULL,
    contact_id BIGINT,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    email TEXT,
    car_brand TEXT NOT NULL,
    car_model TEXT NOT NULL,
    car_year BIGINT NOT NULL,
    plate TEXT,
    location VARCHAR(30) NOT NULL,
    address TEXT,
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    minutes BIGINT NOT NULL,
    technician_id TEXT,
    status VARCHAR(30) NOT NULL,
    payment_status VARCHAR(30) NOT NULL,
    payment_method VARCHAR(30) NOT NULL,
    down_payment_percent BIGINT,
    subtotal_parts BIGINT NOT NULL,
    subtotal_services BIGINT NOT NULL,
    onsite_fee BIGINT NOT NULL,
    additional_costs BIGINT NOT NULL,
    tax_base BIGINT NOT NULL,
    tax_amount BIGINT NOT NULL,
    total_price BIGINT NOT NULL,
    paid_amount BIGINT NOT NULL,
    hold_until TIMESTAMP WITH TIME ZONE,
    holding BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    paid_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    cancellation_reason TEXT,
    warranty_until DATE,
    CONSTRAINT pk_booking PRIMARY KEY (id),
    CONSTRAINT ck_booking_money CHECK (total_price >= 0 AND paid_amount >= 0),
    CONSTRAINT fk_booking_contact_id FOREIGN KEY(contact_id) REFERENCES contact (id),
    CONSTRAINT fk_booking_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT fk_booking_technician_id FOREIGN KEY(technician_id) REFERENCES technician (id),
    CONSTRAINT uq_booking_code UNIQUE (code)
);
CREATE INDEX ix_booking_customer ON booking (customer_id, created_at);
CREATE INDEX ix_booking_hold_until ON booking (hold_until) WHERE hold_until IS NOT NULL;
CREATE INDEX ix_booking_payment_status ON booking (payment_status, starts_at);
CREATE INDEX ix_booking_starts_at ON booking (starts_at);
CREATE TABLE conversation (
    contact_id BIGINT NOT NULL,
    state JSON NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_conversation PRIMARY KEY (contact_id),
    CONSTRAINT fk_conversation_contact_id FOREIGN KEY(contact_id) REFERENCES contact (id)
);
CREATE TABLE booking_event (
    id BIGSERIAL NOT NULL,
    booking_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    detail JSON NOT NULL,
    CONSTRAINT pk_booking_event PRIMARY KEY (id),
    CONSTRAINT fk_booking_event_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
CREATE INDEX ix_booking_event_booking_id ON booking_event (booking_id);
CREATE TABLE booking_line (
    id BIGSERIAL NOT NULL,
    booking_id BIGINT NOT NULL,
    part_id TEXT,
    service_id TEXT,
    name TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    price BIGINT NOT NULL,
    discount BIGINT NOT NULL,
    total BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    warranty_months BIGINT NOT NULL,
    warranty_until DATE,
    CONSTRAINT pk_booking_line PRIMARY KEY (id),
    CONSTRAINT ck_booking_line_quantity CHECK (quantity > 0),
    CONSTRAINT fk_booking_line_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_booking_line_part_id FOREIGN KEY(part_id) REFERENCES part (id),
    CONSTRAINT fk_booking_line_service_id FOREIGN KEY(service_id) REFERENCES service (id)
);
CREATE INDEX ix_booking_line_booking_id ON booking_line (booking_id);
CREATE TABLE invoice (
    number TEXT NOT NULL,
    booking_id BIGINT NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    facts JSON NOT NULL,
    CONSTRAINT pk_invoice PRIMARY KEY (number),
    CONSTRAINT fk_invoice_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
CREATE INDEX ix_invoice_booking_id ON invoice (booking_id);
CREATE TABLE ledger_entry (
    id BIGSERIAL NOT NULL,
    booking_id BIGINT NOT NULL,
    order_id TEXT,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount BIGINT NOT NULL,
    method TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    evidence JSON NOT NULL,
    CONSTRAINT pk_ledger_entry PRIMARY KEY (id),
    CONSTRAINT fk_ledger_entry_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT uq_ledger_entry_order_id_kind_reference UNIQUE (order_id, kind, reference)
);
CREATE INDEX ix_ledger_entry_booking_id ON ledger_entry (booking_id);
CREATE TABLE outbox (
    id BIGSERIAL NOT NULL,
    key TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    language TEXT NOT NULL,
    body JSON NOT NULL,
    booking_id BIGINT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    attempts BIGINT NOT NULL,
    unclear BIGINT NOT NULL,
    vendor_id TEXT,
    delivery TEXT,
    error TEXT,
    sent_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT fk_outbox_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT uq_outbox_key UNIQUE (key)
);
CREATE INDEX ix_outbox_booking_id ON outbox (booking_id);
CREATE INDEX ix_outbox_due ON outbox (channel, due_at) WHERE state IN ('due', 'sending');
CREATE INDEX ix_outbox_vendor_id ON outbox (vendor_id);
CREATE INDEX ix_outbox_waiting ON outbox (channel, address, due_at, id) WHERE state IN ('due', 'sending');
CREATE TABLE payment_request (
    order_id TEXT NOT NULL,
    booking_id BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    amount BIGINT NOT NULL,
    channels JSON NOT NULL,
    state VARCHAR(30) NOT NULL,
    token TEXT,
    url TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    attempts BIGINT NOT NULL,
    error TEXT,
    CONSTRAINT pk_payment_request PRIMARY KEY (order_id),
    CONSTRAINT fk_payment_request_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
CREATE INDEX ix_payment_request_booking_id ON payment_request (booking_id);
CREATE INDEX ix_payment_request_due_at ON payment_request (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE seat (
    booking_id BIGINT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_seat PRIMARY KEY (booking_id, starts_at),
    CONSTRAINT fk_seat_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_seat_starts_at FOREIGN KEY(starts_at) REFERENCES slot (starts_at)
);
CREATE TABLE technician_cell (
    technician_id TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    booking_id BIGINT NOT NULL,
    CONSTRAINT pk_technician_cell PRIMARY KEY (technician_id, starts_at),
    CONSTRAINT fk_technician_cell_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_technician_cell_technician_id FOREIGN KEY(technician_id) REFERENCES technician (id)
);
CREATE INDEX ix_technician_cell_booking_id ON technician_cell (booking_id);
CREATE TABLE additional_cost (
    id BIGSERIAL NOT NULL,
    booking_id BIGINT NOT NULL,
    description TEXT NOT NULL,
    amount BIGINT NOT NULL,
    photo TEXT,
    state VARCHAR(30) NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_additional_cost PRIMARY KEY (id),
    CONSTRAINT ck_additional_cost_amount CHECK (amount > 0),
    CONSTRAINT fk_additional_cost_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
CREATE INDEX ix_additional_cost_booking_id ON additional_cost (booking_id);
CREATE TABLE rating (
    booking_id BIGINT NOT NULL,
    technician_id TEXT,
    stars BIGINT NOT NULL,
    comment TEXT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_rating PRIMARY KEY (booking_id),
    CONSTRAINT ck_rating_stars CHECK (stars BETWEEN 1 AND 5),
    CONSTRAINT fk_rating_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_rating_technician_id FOREIGN KEY(technician_id) REFERENCES technician (id)
);
CREATE TABLE work_note (
    id BIGSERIAL NOT NULL,
    booking_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    photos JSON NOT NULL,
    CONSTRAINT pk_work_note PRIMARY KEY (id),
    CONSTRAINT fk_work_note_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
CREATE INDEX ix_work_note_booking_id ON work_note (booking_id);
CREATE TABLE idempotency_key (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    answer JSON NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency_key PRIMARY KEY (owner, key)
);
CREATE INDEX ix_idempotency_key_created_at ON idempotency_key (created_at);
CREATE TABLE job_run (
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    result JSON NOT NULL,
    CONSTRAINT pk_job_run PRIMARY KEY (name, key)
);
CREATE TABLE waiting (
    id BIGSERIAL NOT NULL,
    booking_code TEXT NOT NULL,
    customer_id BIGINT NOT NULL,
    contact_id BIGINT,
    language TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    "order" JSON NOT NULL,
    state VARCHAR(30) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    offered_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_waiting PRIMARY KEY (id),
    CONSTRAINT fk_waiting_contact_id FOREIGN KEY(contact_id) REFERENCES contact (id),
    CONSTRAINT fk_waiting_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT uq_waiting_booking_code UNIQUE (booking_code)
);
CREATE INDEX ix_waiting_customer ON waiting (customer_id, created_at);
CREATE INDEX ix_waiting_offered_until ON waiting (offered_until) WHERE state = 'offered';
CREATE INDEX ix_waiting_slot ON waiting (starts_at, id) WHERE state = 'waiting';
CREATE TABLE credit_note (
    number TEXT NOT NULL,
    booking_id BIGINT NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    facts JSON NOT NULL,
    CONSTRAINT pk_credit_note PRIMARY KEY (number),
    CONSTRAINT fk_credit_note_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
CREATE INDEX ix_credit_note_booking_id ON credit_note (booking_id);
CREATE TABLE payment_attempt (
    transaction_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    status TEXT NOT NULL,
    method TEXT NOT NULL,
    amount BIGINT,
    first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answer JSON NOT NULL,
    CONSTRAINT pk_payment_attempt PRIMARY KEY (transaction_id),
    CONSTRAINT fk_payment_attempt_order_id FOREIGN KEY(order_id) REFERENCES payment_request (order_id)
);
CREATE INDEX ix_payment_attempt_order_id ON payment_attempt (order_id);
CREATE TABLE receipt (
    number TEXT NOT NULL,
    booking_id BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    facts JSON NOT NULL,
    CONSTRAINT pk_receipt PRIMARY KEY (number),
    CONSTRAINT fk_receipt_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_receipt_entry_id FOREIGN KEY(entry_id) REFERENCES ledger_entry (id),
    CONSTRAINT uq_receipt_entry_id UNIQUE (entry_id)
);
CREATE INDEX ix_receipt_booking_id ON receipt (booking_id);
CREATE TABLE refund (
    key TEXT NOT NULL,
    booking_id BIGINT NOT NULL,
    order_id TEXT,
    amount BIGINT NOT NULL,
    reason TEXT NOT NULL,
    state VARCHAR(30) NOT NULL,
    bank_account TEXT,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    done_by TEXT,
    due_at TIMESTAMP WITH TIME ZONE,
    attempts BIGINT NOT NULL,
    error TEXT,
    CONSTRAINT pk_refund PRIMARY KEY (key),
    CONSTRAINT ck_refund_amount CHECK (amount > 0),
    CONSTRAINT fk_refund_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_refund_order_id FOREIGN KEY(order_id) REFERENCES payment_request (order_id)
);
CREATE INDEX ix_refund_booking_id ON refund (booking_id);
CREATE INDEX ix_refund_due_at ON refund (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_refund_open ON refund (asked_at) WHERE state <> 'done';
ALTER TABLE booking ADD COLUMN no_show_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE booking ADD COLUMN moves BIGINT DEFAULT '0' NOT NULL;
CREATE TABLE alarm (
    name TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_alarm PRIMARY KEY (name)
);
ALTER TABLE outbox ADD COLUMN trace TEXT;
CREATE INDEX ix_outbox_failed ON outbox (due_at) WHERE state = 'failed';
ALTER TABLE ledger_entry ADD COLUMN transaction_id TEXT;
ALTER TABLE refund ADD COLUMN transaction_id TEXT;
CREATE FUNCTION refuse_to_change_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'an entry of the ledger is never changed or deleted' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER ledger_entry_is_written_once BEFORE DELETE OR UPDATE OF id, booking_id, order_id, transaction_id, kind, reference, amount, method, at ON ledger_entry FOR EACH ROW EXECUTE FUNCTION refuse_to_change_the_ledger();
CREATE INDEX ix_booking_without_place ON booking (status, paid_at) WHERE status = 'pending' AND paid_amount > 0 AND NOT holding;
CREATE INDEX ix_booking_status ON booking (status, starts_at, payment_status);
CREATE INDEX ix_booking_technician ON booking (technician_id, starts_at, status, payment_status);
CREATE INDEX ix_ledger_entry_at ON ledger_entry (at, amount);
CREATE INDEX ix_conversation_updated_at ON conversation (updated_at);
CREATE INDEX ix_inbound_received_at ON inbound (received_at);
CREATE INDEX ix_outbox_created_at ON outbox (created_at);
CREATE FUNCTION refuse_to_change_a_paper() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a paper is never changed or deleted' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER invoice_is_kept BEFORE DELETE OR UPDATE OF number, booking_id, issued_at ON invoice FOR EACH ROW EXECUTE FUNCTION refuse_to_change_a_paper();
CREATE TRIGGER invoice_is_written_once BEFORE UPDATE OF facts ON invoice FOR EACH ROW WHEN ((NEW.facts::jsonb - ARRAY['customer_name', 'customer_phone', 'customer_email', 'plate', 'address']) <> (OLD.facts::jsonb - ARRAY['customer_name', 'customer_phone', 'customer_email', 'plate', 'address']) OR (NEW.facts->>'customer_name' IS DISTINCT FROM OLD.facts->>'customer_name' AND coalesce(NEW.facts->>'customer_name', '-') <> '-') OR (NEW.facts->>'customer_phone' IS DISTINCT FROM OLD.facts->>'customer_phone' AND coalesce(NEW.facts->>'customer_phone', '-') <> '-') OR (NEW.facts->>'customer_email' IS DISTINCT FROM OLD.facts->>'customer_email' AND coalesce(NEW.facts->>'customer_email', '-') <> '-') OR (NEW.facts->>'plate' IS DISTINCT FROM OLD.facts->>'plate' AND coalesce(NEW.facts->>'plate', '-') <> '-') OR (NEW.facts->>'address' IS DISTINCT FROM OLD.facts->>'address' AND coalesce(NEW.facts->>'address', '-') <> '-')) EXECUTE FUNCTION refuse_to_change_a_paper();
CREATE TRIGGER credit_note_is_kept BEFORE DELETE OR UPDATE OF number, booking_id, issued_at ON credit_note FOR EACH ROW EXECUTE FUNCTION refuse_to_change_a_paper();
CREATE TRIGGER credit_note_is_written_once BEFORE UPDATE OF facts ON credit_note FOR EACH ROW WHEN ((NEW.facts::jsonb - ARRAY['customer_name', 'customer_phone', 'customer_email', 'plate', 'address']) <> (OLD.facts::jsonb - ARRAY['customer_name', 'customer_phone', 'customer_email', 'plate', 'address']) OR (NEW.facts->>'customer_name' IS DISTINCT FROM OLD.facts->>'customer_name' AND coalesce(NEW.facts->>'customer_name', '-') <> '-') OR (NEW.facts->>'customer_phone' IS DISTINCT FROM OLD.facts->>'customer_phone' AND coalesce(NEW.facts->>'customer_phone', '-') <> '-') OR (NEW.facts->>'customer_email' IS DISTINCT FROM OLD.facts->>'customer_email' AND coalesce(NEW.facts->>'customer_email', '-') <> '-') OR (NEW.facts->>'plate' IS DISTINCT FROM OLD.facts->>'plate' AND coalesce(NEW.facts->>'plate', '-') <> '-') OR (NEW.facts->>'address' IS DISTINCT FROM OLD.facts->>'address' AND coalesce(NEW.facts->>'address', '-') <> '-')) EXECUTE FUNCTION refuse_to_change_a_paper();
CREATE TRIGGER receipt_is_kept BEFORE DELETE OR UPDATE OF number, booking_id, entry_id, issued_at ON receipt FOR EACH ROW EXECUTE FUNCTION refuse_to_change_a_paper();
CREATE TRIGGER receipt_is_written_once BEFORE UPDATE OF facts ON receipt FOR EACH ROW WHEN ((NEW.facts::jsonb - ARRAY['customer_name', 'customer_phone', 'customer_email', 'plate', 'address']) <> (OLD.facts::jsonb - ARRAY['customer_name', 'customer_phone', 'customer_email', 'plate', 'address']) OR (NEW.facts->>'customer_name' IS DISTINCT FROM OLD.facts->>'customer_name' AND coalesce(NEW.facts->>'customer_name', '-') <> '-') OR (NEW.facts->>'customer_phone' IS DISTINCT FROM OLD.facts->>'customer_phone' AND coalesce(NEW.facts->>'customer_phone', '-') <> '-') OR (NEW.facts->>'customer_email' IS DISTINCT FROM OLD.facts->>'customer_email' AND coalesce(NEW.facts->>'customer_email', '-') <> '-') OR (NEW.facts->>'plate' IS DISTINCT FROM OLD.facts->>'plate' AND coalesce(NEW.facts->>'plate', '-') <> '-') OR (NEW.facts->>'address' IS DISTINCT FROM OLD.facts->>'address' AND coalesce(NEW.facts->>'address', '-') <> '-')) EXECUTE FUNCTION refuse_to_change_a_paper();
CREATE INDEX ix_payment_request_created_at ON payment_request (created_at);
CREATE INDEX ix_payment_attempt_first_seen_at ON payment_attempt (first_seen_at);
ALTER TABLE booking ADD COLUMN going_back BIGINT DEFAULT '0' NOT NULL;
ALTER TABLE outbox ADD COLUMN parts_left BIGINT;
ALTER TABLE outbox ADD COLUMN about BIGINT REFERENCES contact (id);
CREATE INDEX ix_outbox_about ON outbox (about) WHERE about IS NOT NULL;
ALTER TABLE outbox ADD COLUMN shown BOOLEAN DEFAULT false NOT NULL;
INSERT INTO customer VALUES (1, 'Pelanggan 1', NULL, false, NULL, NULL, '2026-11-23 01:00:00+00');
INSERT INTO contact VALUES (1, 'telegram', '5001', 1, 'id', '2026-11-23 01:00:00+00', NULL, '2026-11-23 01:00:00+00');
INSERT INTO technician VALUES ('andi', 'Andi', '["dsp"]', NULL, NULL, NULL, '[]', 0, 0, 0, '[]', true, NULL);
INSERT INTO booking VALUES (1, 'BK-000001', 1, 1, 'id', 'Sari', '+6281234567890', 'sari@example.com', 'Toyota', 'Avanza', 2018, NULL, 'workshop', NULL, NULL, NULL, '2026-11-24 03:00:00+00', 60, NULL, 'confirmed', 'paid', 'transfer', NULL, 765000, 150000, 0, 0, 0, 0, 915000, 915000, NULL, true, '2026-11-23 01:00:00+00', '2026-11-23 01:00:00+00', NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO alembic_version VALUES ('0015');
INSERT INTO booking_event VALUES (1, 1, '2026-11-23 01:00:00+00', 'created', 'customer', '{}');
INSERT INTO booking_event VALUES (2, 1, '2026-11-23 01:00:00+00', 'link_sent', 'system', '{"order_id": "BOOKING-A1-BK000001-1"}');
INSERT INTO booking_event VALUES (3, 1, '2026-11-23 01:00:00+00', 'received', 'midtrans', '{"amount": 915000, "order_id": "BOOKING-A1-BK000001-1"}');
INSERT INTO booking_event VALUES (4, 1, '2026-11-23 01:00:00+00', 'confirmed', 'midtrans', '{}');
INSERT INTO part VALUES ('speaker-65', 'Speaker 6,5 inci', 'speaker', 'JBL', 850000, 10, 2, 1, 2, 12, NULL, NULL, NULL, '', '{}', '[]', '[]', '[]', true, false, NULL);
INSERT INTO service VALUES ('pasang-speaker', 'Pasang speaker', 'installation', 150000, 0, 60, '', '[]', '[]', NULL, true, '[]', true, NULL);
INSERT INTO booking_line VALUES (1, 1, 'speaker-65', NULL, 'Speaker 6,5 inci', 1, 850000, 10, 765000, 0, 12, NULL);
INSERT INTO booking_line VALUES (2, 1, NULL, 'pasang-speaker', 'Pasang speaker', 1, 150000, 0, 150000, 60, 0, NULL);
INSERT INTO counter VALUES ('receipt:2026', 1);
INSERT INTO counter VALUES ('invoice:2026', 1);
INSERT INTO invoice VALUES ('INV/2026/00001', 1, '2026-11-23 01:00:00+00', '{"number": "INV/2026/00001", "issued_at": "2026-11-23T01:00:00Z", "timezone": "Asia/Jakarta", "shop_name": "Bengkel Suara Jaya", "shop_address": "Jl. Raya Fatmawati No. 21", "shop_city": "Jakarta Selatan", "shop_contact": "+62217654321", "shop_email": "halo@suarajaya.example", "customer_name": "Sari", "customer_phone": "+6281234567890", "customer_email": "sari@example.com", "car": "Toyota Avanza 2018", "plate": null, "booking_code": "BK-000001", "supplements": null, "starts_at": "2026-11-24T03:00:00Z", "location": "workshop", "address": null, "technician": null, "lines": [{"name": "Speaker 6,5 inci", "kind": "part", "quantity": 1, "price": 850000, "discount": 10, "total": 765000, "warranty_months": 12}, {"name": "Pasang speaker", "kind": "service", "quantity": 1, "price": 150000, "discount": 0, "total": 150000, "warranty_months": 0}], "subtotal_parts": 765000, "subtotal_services": 150000, "onsite_fee": 0, "additional_costs": 0, "discounts": 85000, "tax_base": 0, "tax_amount": 0, "total": 915000}');
INSERT INTO ledger_entry VALUES (1, 1, 'BOOKING-A1-BK000001-1', 'received', 't-1', 915000, 'bank_transfer', '2026-11-23 01:00:00+00', '{"order_id": "BOOKING-A1-BK000001-1", "transaction_id": "t-1", "transaction_status": "settlement", "gross_amount": "915000.00", "currency": "IDR", "payment_type": "bank_transfer", "status_code": "200", "notifications": [1]}', 't-1');
INSERT INTO outbox VALUES (1, 'link:BOOKING-A1-BK000001-1', 'telegram', '5001', 'id', '{"says": [{"say": "notice.pay_here", "with": {"code": "BK-000001", "name": "Sari", "amount": 915000, "method": {"say": "notice.method.transfer", "with": {}}, "until": {"at": "2026-11-23T09:00:00+07:00"}}}, {"say": "notice.pay_here_after", "with": {}}], "link": {"url": "https://pay.example/BOOKING-A1-BK000001-1", "label": {"say": "notice.pay_button", "with": {}}}}', 1, 'notice', 'due', '2026-11-23 01:00:00+00', '2026-11-23 01:00:00+00', '2026-11-23 02:00:00+00', 0, 0, NULL, NULL, NULL, NULL, '2026-11-23 01:00:00+00', NULL, NULL, NULL, false);
INSERT INTO outbox VALUES (2, 'reminder:BK-000001:24h:2026-11-24T03:00:00+00:00', 'telegram', '5001', 'id', '{"says": [{"say": "notice.reminder_day", "with": {"name": "Sari", "code": "BK-000001", "at": {"at": "2026-11-24T10:00:00+07:00"}}}, {"say": "notice.reminder_workshop", "with": {"place": "Bengkel Suara Jaya, Jl. Raya Fatmawati No. 21"}}]}', 1, 'reminder', 'due', '2026-11-23 03:00:00+00', '2026-11-23 03:00:00+00', '2026-11-24 01:00:00+00', 0, 0, NULL, NULL, NULL, NULL, '2026-11-23 01:00:00+00', NULL, NULL, NULL, false);
INSERT INTO outbox VALUES (4, 'paid:BOOKING-A1-BK000001-1', 'telegram', '5001', 'id', '{"says": [{"say": "notice.money_received", "with": {"amount": 915000, "name": "Sari"}}, {"say": "notice.confirmed", "with": {"code": "BK-000001"}}, {"say": "notice.block", "with": {"lines": [{"say": "notice.line.when", "with": {"at": {"at": "2026-11-24T10:00:00+07:00"}}}, {"say": "notice.line.workshop", "with": {"place": "Bengkel Suara Jaya, Jl. Raya Fatmawati No. 21"}}, {"say": "notice.line.car", "with": {"brand": "Toyota", "model": "Avanza", "year": 2018}}, {"say": "notice.line.item", "with": {"quantity": 1, "name": "Speaker 6,5 inci"}}, {"say": "notice.line.item", "with": {"quantity": 1, "name": "Pasang speaker"}}, {"say": "notice.line.total", "with": {"total": 915000}}]}}, {"say": "notice.paid_up", "with": {"code": "BK-000001"}}, {"say": "notice.see_you", "with": {}}], "document": {"kind": "invoice", "id": "BK-000001"}}', 1, 'notice', 'due', '2026-11-23 01:00:00+00', '2026-11-23 01:00:00+00', NULL, 0, 0, NULL, NULL, NULL, NULL, '2026-11-23 01:00:00+00', NULL, NULL, NULL, false);
INSERT INTO payment_request VALUES ('BOOKING-A1-BK000001-1', 1, 'full', 915000, '["bca_va", "bni_va", "bri_va", "permata_va", "echannel", "other_va"]', 'paid', 'tok-BOOKING-A1-BK000001-1', 'https://pay.example/BOOKING-A1-BK000001-1', '2026-11-23 01:00:00+00', '2026-11-23 02:00:00+00', NULL, 0, NULL);
INSERT INTO payment_attempt VALUES ('t-1', 'BOOKING-A1-BK000001-1', 'settlement', 'bank_transfer', 915000, '2026-11-23 01:00:00+00', '2026-11-23 01:00:00+00', '{"order_id": "BOOKING-A1-BK000001-1", "transaction_id": "t-1", "transaction_status": "settlement", "gross_amount": "915000.00", "currency": "IDR", "payment_type": "bank_transfer", "status_code": "200"}');
INSERT INTO payment_notification VALUES (1, 'BOOKING-A1-BK000001-1', 'eb946f9fafe325dfd50a68044afb4321f78a50e007cd3f08d918d6049624b228', '{"order_id": "BOOKING-A1-BK000001-1", "transaction_id": "t-1", "transaction_status": "settlement", "gross_amount": "915000.00", "currency": "IDR", "payment_type": "bank_transfer", "status_code": "200"}', '2026-11-23 01:00:00+00', '2026-11-23 01:00:00+00', 0, NULL);
INSERT INTO receipt VALUES ('KW/2026/00001', 1, 1, '2026-11-23 01:00:00+00', '{"number": "KW/2026/00001", "issued_at": "2026-11-23T01:00:00Z", "timezone": "Asia/Jakarta", "shop_name": "Bengkel Suara Jaya", "shop_address": "Jl. Raya Fatmawati No. 21", "shop_city": "Jakarta Selatan", "shop_contact": "+62217654321", "shop_email": "halo@suarajaya.example", "customer_name": "Sari", "customer_phone": "+6281234567890", "customer_email": "sari@example.com", "car": "Toyota Avanza 2018", "plate": null, "booking_code": "BK-000001", "amount": 915000, "purpose": "whole", "method": "bank_transfer", "invoice": null, "total": 915000, "paid": 915000, "remaining": 0}');
INSERT INTO slot VALUES ('2026-11-24 03:00:00+00', 3, 1);
INSERT INTO seat VALUES (1, '2026-11-24 03:00:00+00');
SELECT setval('booking_event_id_seq', 4, true);
SELECT setval('booking_id_seq', 1, true);
SELECT setval('booking_line_id_seq', 2, true);
SELECT setval('contact_id_seq', 1, true);
SELECT setval('ledger_entry_id_seq', 1, true);
SELECT setval('outbox_id_seq', 6, true);
SELECT setval('payment_notification_id_seq', 1, true);
SELECT setval('customer_id_seq', 1, true);
