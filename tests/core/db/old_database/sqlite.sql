-- A SQLite database as the fifteen numbered migrations made it (commit ab43fdb), with a booking that is paid.
CREATE TABLE additional_cost (
    id INTEGER NOT NULL,
    booking_id INTEGER NOT NULL,
    description TEXT NOT NULL,
    amount INTEGER NOT NULL,
    photo TEXT,
    state VARCHAR(30) NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at DATETIME NOT NULL,
    decided_at DATETIME,
    CONSTRAINT pk_additional_cost PRIMARY KEY (id),
    CONSTRAINT ck_additional_cost_amount CHECK (amount > 0),
    CONSTRAINT fk_additional_cost_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
CREATE TABLE alarm (
    name TEXT NOT NULL,
    since DATETIME NOT NULL,
    CONSTRAINT pk_alarm PRIMARY KEY (name)
);
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES('0015');
CREATE TABLE booking (
    id INTEGER NOT NULL,
    code TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    contact_id INTEGER,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    email TEXT,
    car_brand TEXT NOT NULL,
    car_model TEXT NOT NULL,
    car_year INTEGER NOT NULL,
    plate TEXT,
    location VARCHAR(30) NOT NULL,
    address TEXT,
    latitude DOUBLE,
    longitude DOUBLE,
    starts_at DATETIME NOT NULL,
    minutes INTEGER NOT NULL,
    technician_id TEXT,
    status VARCHAR(30) NOT NULL,
    payment_status VARCHAR(30) NOT NULL,
    payment_method VARCHAR(30) NOT NULL,
    down_payment_percent INTEGER,
    subtotal_parts INTEGER NOT NULL,
    subtotal_services INTEGER NOT NULL,
    onsite_fee INTEGER NOT NULL,
    additional_costs INTEGER NOT NULL,
    tax_base INTEGER NOT NULL,
    tax_amount INTEGER NOT NULL,
    total_price INTEGER NOT NULL,
    paid_amount INTEGER NOT NULL,
    hold_until DATETIME,
    holding BOOLEAN NOT NULL,
    created_at DATETIME NOT NULL,
    paid_at DATETIME,
    completed_at DATETIME,
    cancelled_at DATETIME,
    cancellation_reason TEXT,
    warranty_until DATE, no_show_at DATETIME, moves INTEGER DEFAULT '0' NOT NULL, going_back INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_booking PRIMARY KEY (id),
    CONSTRAINT ck_booking_money CHECK (total_price >= 0 AND paid_amount >= 0),
    CONSTRAINT fk_booking_contact_id FOREIGN KEY(contact_id) REFERENCES contact (id),
    CONSTRAINT fk_booking_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT fk_booking_technician_id FOREIGN KEY(technician_id) REFERENCES technician (id),
    CONSTRAINT uq_booking_code UNIQUE (code)
);
INSERT INTO booking VALUES(1,'BK-000001',1,1,'id','Sari','+6281234567890','sari@example.com','Toyota','Avanza',2018,NULL,'workshop',NULL,NULL,NULL,'2026-11-24 03:00:00.000000',60,NULL,'confirmed','paid','transfer',NULL,765000,150000,0,0,0,0,915000,915000,NULL,1,'2026-11-23 01:00:00.000000','2026-11-23 01:00:00.000000',NULL,NULL,NULL,NULL,NULL,0,0);
CREATE TABLE booking_event (
    id INTEGER NOT NULL,
    booking_id INTEGER NOT NULL,
    at DATETIME NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    detail JSON NOT NULL,
    CONSTRAINT pk_booking_event PRIMARY KEY (id),
    CONSTRAINT fk_booking_event_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
INSERT INTO booking_event VALUES(1,1,'2026-11-23 01:00:00.000000','created','customer','{}');
INSERT INTO booking_event VALUES(2,1,'2026-11-23 01:00:00.000000','link_sent','system','{"order_id": "BOOKING-A1-BK000001-1"}');
INSERT INTO booking_event VALUES(3,1,'2026-11-23 01:00:00.000000','received','midtrans','{"amount": 915000, "order_id": "BOOKING-A1-BK000001-1"}');
INSERT INTO booking_event VALUES(4,1,'2026-11-23 01:00:00.000000','confirmed','midtrans','{}');
CREATE TABLE booking_line (
    id INTEGER NOT NULL,
    booking_id INTEGER NOT NULL,
    part_id TEXT,
    service_id TEXT,
    name TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    price INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    total INTEGER NOT NULL,
    minutes INTEGER NOT NULL,
    warranty_months INTEGER NOT NULL,
    warranty_until DATE,
    CONSTRAINT pk_booking_line PRIMARY KEY (id),
    CONSTRAINT ck_booking_line_quantity CHECK (quantity > 0),
    CONSTRAINT fk_booking_line_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_booking_line_part_id FOREIGN KEY(part_id) REFERENCES part (id),
    CONSTRAINT fk_booking_line_service_id FOREIGN KEY(service_id) REFERENCES service (id)
);
INSERT INTO booking_line VALUES(1,1,'speaker-65',NULL,'Speaker 6,5 inci',1,850000,10,765000,0,12,NULL);
INSERT INTO booking_line VALUES(2,1,NULL,'pasang-speaker','Pasang speaker',1,150000,0,150000,60,0,NULL);
CREATE TABLE car (
    id TEXT NOT NULL,
    brand TEXT NOT NULL,
    model TEXT NOT NULL,
    year_from INTEGER NOT NULL,
    year_to INTEGER,
    mounts JSON NOT NULL,
    aliases JSON NOT NULL,
    CONSTRAINT pk_car PRIMARY KEY (id)
);
CREATE TABLE catalogue_version (
    id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_catalogue_version PRIMARY KEY (id)
);
CREATE TABLE closure (
    day DATE NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_closure PRIMARY KEY (day)
);
CREATE TABLE contact (
    id INTEGER NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    language TEXT NOT NULL,
    last_seen_at DATETIME,
    unreachable_at DATETIME,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_contact PRIMARY KEY (id),
    CONSTRAINT fk_contact_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT uq_contact_channel_address UNIQUE (channel, address)
);
INSERT INTO contact VALUES(1,'telegram','5001',1,'id','2026-11-23 01:00:00.000000',NULL,'2026-11-23 01:00:00.000000');
CREATE TABLE conversation (
    contact_id INTEGER NOT NULL,
    state JSON NOT NULL,
    updated_at DATETIME NOT NULL,
    CONSTRAINT pk_conversation PRIMARY KEY (contact_id),
    CONSTRAINT fk_conversation_contact_id FOREIGN KEY(contact_id) REFERENCES contact (id)
);
CREATE TABLE counter (
    name TEXT NOT NULL,
    last INTEGER NOT NULL,
    CONSTRAINT pk_counter PRIMARY KEY (name)
);
INSERT INTO counter VALUES('receipt:2026',1);
INSERT INTO counter VALUES('invoice:2026',1);
CREATE TABLE credit_note (
    number TEXT NOT NULL,
    booking_id INTEGER NOT NULL,
    issued_at DATETIME NOT NULL,
    facts JSON NOT NULL,
    CONSTRAINT pk_credit_note PRIMARY KEY (number),
    CONSTRAINT fk_credit_note_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
CREATE TABLE customer (
    id INTEGER NOT NULL,
    name TEXT,
    phone TEXT,
    phone_proven BOOLEAN NOT NULL,
    email TEXT,
    clerk_user TEXT,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_customer PRIMARY KEY (id),
    CONSTRAINT uq_customer_clerk_user UNIQUE (clerk_user)
);
INSERT INTO customer VALUES(1,'Pelanggan 1',NULL,0,NULL,NULL,'2026-11-23 01:00:00.000000');
CREATE TABLE idempotency_key (
    owner TEXT NOT NULL,
    "key" TEXT NOT NULL,
    digest TEXT NOT NULL,
    answer JSON NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_idempotency_key PRIMARY KEY (owner, "key")
);
CREATE TABLE inbound (
    channel TEXT NOT NULL,
    event_id TEXT NOT NULL,
    address TEXT NOT NULL,
    received_at DATETIME NOT NULL,
    raw JSON,
    error TEXT,
    CONSTRAINT pk_inbound PRIMARY KEY (channel, event_id)
);
CREATE TABLE invoice (
    number TEXT NOT NULL,
    booking_id INTEGER NOT NULL,
    issued_at DATETIME NOT NULL,
    facts JSON NOT NULL,
    CONSTRAINT pk_invoice PRIMARY KEY (number),
    CONSTRAINT fk_invoice_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
INSERT INTO invoice VALUES('INV/2026/00001',1,'2026-11-23 01:00:00.000000','{"number": "INV/2026/00001", "issued_at": "2026-11-23T01:00:00Z", "timezone": "Asia/Jakarta", "shop_name": "Bengkel Suara Jaya", "shop_address": "Jl. Raya Fatmawati No. 21", "shop_city": "Jakarta Selatan", "shop_contact": "+62217654321", "shop_email": "halo@suarajaya.example", "customer_name": "Sari", "customer_phone": "+6281234567890", "customer_email": "sari@example.com", "car": "Toyota Avanza 2018", "plate": null, "booking_code": "BK-000001", "supplements": null, "starts_at": "2026-11-24T03:00:00Z", "location": "workshop", "address": null, "technician": null, "lines": [{"name": "Speaker 6,5 inci", "kind": "part", "quantity": 1, "price": 850000, "discount": 10, "total": 765000, "warranty_months": 12}, {"name": "Pasang speaker", "kind": "service", "quantity": 1, "price": 150000, "discount": 0, "total": 150000, "warranty_months": 0}], "subtotal_parts": 765000, "subtotal_services": 150000, "onsite_fee": 0, "additional_costs": 0, "discounts": 85000, "tax_base": 0, "tax_amount": 0, "total": 915000}');
CREATE TABLE job_run (
    name TEXT NOT NULL,
    "key" TEXT NOT NULL,
    started_at DATETIME NOT NULL,
    finished_at DATETIME,
    result JSON NOT NULL,
    CONSTRAINT pk_job_run PRIMARY KEY (name, "key")
);
CREATE TABLE leave (
    technician_id TEXT NOT NULL,
    day DATE NOT NULL,
    CONSTRAINT pk_leave PRIMARY KEY (technician_id, day),
    CONSTRAINT fk_leave_technician_id FOREIGN KEY(technician_id) REFERENCES technician (id)
);
CREATE TABLE ledger_entry (
    id INTEGER NOT NULL,
    booking_id INTEGER NOT NULL,
    order_id TEXT,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount INTEGER NOT NULL,
    method TEXT NOT NULL,
    at DATETIME NOT NULL,
    evidence JSON NOT NULL, transaction_id TEXT,
    CONSTRAINT pk_ledger_entry PRIMARY KEY (id),
    CONSTRAINT fk_ledger_entry_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT uq_ledger_entry_order_id_kind_reference UNIQUE (order_id, kind, reference)
);
INSERT INTO ledger_entry VALUES(1,1,'BOOKING-A1-BK000001-1','received','t-1',915000,'bank_transfer','2026-11-23 01:00:00.000000','{"order_id": "BOOKING-A1-BK000001-1", "transaction_id": "t-1", "transaction_status": "settlement", "gross_amount": "915000.00", "currency": "IDR", "payment_type": "bank_transfer", "status_code": "200", "notifications": [1]}','t-1');
CREATE TABLE outbox (
    id INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    language TEXT NOT NULL,
    body JSON NOT NULL,
    booking_id INTEGER,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at DATETIME NOT NULL,
    not_before DATETIME NOT NULL,
    until DATETIME,
    attempts INTEGER NOT NULL,
    unclear INTEGER NOT NULL,
    vendor_id TEXT,
    delivery TEXT,
    error TEXT,
    sent_at DATETIME,
    created_at DATETIME NOT NULL, trace TEXT, parts_left INTEGER, about INTEGER REFERENCES contact (id), shown BOOLEAN DEFAULT 0 NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT fk_outbox_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT uq_outbox_key UNIQUE ("key")
);
INSERT INTO outbox VALUES(1,'link:BOOKING-A1-BK000001-1','telegram','5001','id','{"says": [{"say": "notice.pay_here", "with": {"code": "BK-000001", "name": "Sari", "amount": 915000, "method": {"say": "notice.method.transfer", "with": {}}, "until": {"at": "2026-11-23T09:00:00+07:00"}}}, {"say": "notice.pay_here_after", "with": {}}], "link": {"url": "https://pay.example/BOOKING-A1-BK000001-1", "label": {"say": "notice.pay_button", "with": {}}}}',1,'notice','due','2026-11-23 01:00:00.000000','2026-11-23 01:00:00.000000','2026-11-23 02:00:00.000000',0,0,NULL,NULL,NULL,NULL,'2026-11-23 01:00:00.000000',NULL,NULL,NULL,0);
INSERT INTO outbox VALUES(2,'reminder:BK-000001:24h:2026-11-24T03:00:00+00:00','telegram','5001','id','{"says": [{"say": "notice.reminder_day", "with": {"name": "Sari", "code": "BK-000001", "at": {"at": "2026-11-24T10:00:00+07:00"}}}, {"say": "notice.reminder_workshop", "with": {"place": "Bengkel Suara Jaya, Jl. Raya Fatmawati No. 21"}}]}',1,'reminder','due','2026-11-23 03:00:00.000000','2026-11-23 03:00:00.000000','2026-11-24 01:00:00.000000',0,0,NULL,NULL,NULL,NULL,'2026-11-23 01:00:00.000000',NULL,NULL,NULL,0);
INSERT INTO outbox VALUES(4,'paid:BOOKING-A1-BK000001-1','telegram','5001','id','{"says": [{"say": "notice.money_received", "with": {"amount": 915000, "name": "Sari"}}, {"say": "notice.confirmed", "with": {"code": "BK-000001"}}, {"say": "notice.block", "with": {"lines": [{"say": "notice.line.when", "with": {"at": {"at": "2026-11-24T10:00:00+07:00"}}}, {"say": "notice.line.workshop", "with": {"place": "Bengkel Suara Jaya, Jl. Raya Fatmawati No. 21"}}, {"say": "notice.line.car", "with": {"brand": "Toyota", "model": "Avanza", "year": 2018}}, {"say": "notice.line.item", "with": {"quantity": 1, "name": "Speaker 6,5 inci"}}, {"say": "notice.line.item", "with": {"quantity": 1, "name": "Pasang speaker"}}, {"say": "notice.line.total", "with": {"total": 915000}}]}}, {"say": "notice.paid_up", "with": {"code": "BK-000001"}}, {"say": "notice.see_you", "with": {}}], "document": {"kind": "invoice", "id": "BK-000001"}}',1,'notice','due','2026-11-23 01:00:00.000000','2026-11-23 01:00:00.000000',NULL,0,0,NULL,NULL,NULL,NULL,'2026-11-23 01:00:00.000000',NULL,NULL,NULL,0);
CREATE TABLE part (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    brand TEXT NOT NULL,
    price INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    on_hand INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    low_stock_threshold INTEGER NOT NULL,
    warranty_months INTEGER NOT NULL,
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
    retired_at DATETIME,
    CONSTRAINT pk_part PRIMARY KEY (id),
    CONSTRAINT ck_part_price CHECK (price >= 0 AND discount BETWEEN 0 AND 100),
    CONSTRAINT ck_part_stock CHECK (reserved >= 0 AND reserved <= on_hand)
);
INSERT INTO part VALUES('speaker-65','Speaker 6,5 inci','speaker','JBL',850000,10,2,1,2,12,NULL,NULL,NULL,'','{}','[]','[]','[]',1,0,NULL);
CREATE TABLE payment_attempt (
    transaction_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    status TEXT NOT NULL,
    method TEXT NOT NULL,
    amount INTEGER,
    first_seen_at DATETIME NOT NULL,
    changed_at DATETIME NOT NULL,
    answer JSON NOT NULL,
    CONSTRAINT pk_payment_attempt PRIMARY KEY (transaction_id),
    CONSTRAINT fk_payment_attempt_order_id FOREIGN KEY(order_id) REFERENCES payment_request (order_id)
);
INSERT INTO payment_attempt VALUES('t-1','BOOKING-A1-BK000001-1','settlement','bank_transfer',915000,'2026-11-23 01:00:00.000000','2026-11-23 01:00:00.000000','{"order_id": "BOOKING-A1-BK000001-1", "transaction_id": "t-1", "transaction_status": "settlement", "gross_amount": "915000.00", "currency": "IDR", "payment_type": "bank_transfer", "status_code": "200"}');
CREATE TABLE payment_notification (
    id INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    body JSON NOT NULL,
    received_at DATETIME NOT NULL,
    due_at DATETIME,
    attempts INTEGER NOT NULL,
    outcome TEXT,
    CONSTRAINT pk_payment_notification PRIMARY KEY (id),
    CONSTRAINT uq_payment_notification_order_id_digest UNIQUE (order_id, digest)
);
INSERT INTO payment_notification VALUES(1,'BOOKING-A1-BK000001-1','eb946f9fafe325dfd50a68044afb4321f78a50e007cd3f08d918d6049624b228','{"order_id": "BOOKING-A1-BK000001-1", "transaction_id": "t-1", "transaction_status": "settlement", "gross_amount": "915000.00", "currency": "IDR", "payment_type": "bank_transfer", "status_code": "200"}','2026-11-23 01:00:00.000000','2026-11-23 01:00:00.000000',0,NULL);
CREATE TABLE payment_request (
    order_id TEXT NOT NULL,
    booking_id INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    amount INTEGER NOT NULL,
    channels JSON NOT NULL,
    state VARCHAR(30) NOT NULL,
    token TEXT,
    url TEXT,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    due_at DATETIME,
    attempts INTEGER NOT NULL,
    error TEXT,
    CONSTRAINT pk_payment_request PRIMARY KEY (order_id),
    CONSTRAINT fk_payment_request_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
INSERT INTO payment_request VALUES('BOOKING-A1-BK000001-1',1,'full',915000,'["bca_va", "bni_va", "bri_va", "permata_va", "echannel", "other_va"]','paid','tok-BOOKING-A1-BK000001-1','https://pay.example/BOOKING-A1-BK000001-1','2026-11-23 01:00:00.000000','2026-11-23 02:00:00.000000',NULL,0,NULL);
CREATE TABLE rating (
    booking_id INTEGER NOT NULL,
    technician_id TEXT,
    stars INTEGER NOT NULL,
    comment TEXT,
    at DATETIME NOT NULL,
    CONSTRAINT pk_rating PRIMARY KEY (booking_id),
    CONSTRAINT ck_rating_stars CHECK (stars BETWEEN 1 AND 5),
    CONSTRAINT fk_rating_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_rating_technician_id FOREIGN KEY(technician_id) REFERENCES technician (id)
);
CREATE TABLE receipt (
    number TEXT NOT NULL,
    booking_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    issued_at DATETIME NOT NULL,
    facts JSON NOT NULL,
    CONSTRAINT pk_receipt PRIMARY KEY (number),
    CONSTRAINT fk_receipt_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_receipt_entry_id FOREIGN KEY(entry_id) REFERENCES ledger_entry (id),
    CONSTRAINT uq_receipt_entry_id UNIQUE (entry_id)
);
INSERT INTO receipt VALUES('KW/2026/00001',1,1,'2026-11-23 01:00:00.000000','{"number": "KW/2026/00001", "issued_at": "2026-11-23T01:00:00Z", "timezone": "Asia/Jakarta", "shop_name": "Bengkel Suara Jaya", "shop_address": "Jl. Raya Fatmawati No. 21", "shop_city": "Jakarta Selatan", "shop_contact": "+62217654321", "shop_email": "halo@suarajaya.example", "customer_name": "Sari", "customer_phone": "+6281234567890", "customer_email": "sari@example.com", "car": "Toyota Avanza 2018", "plate": null, "booking_code": "BK-000001", "amount": 915000, "purpose": "whole", "method": "bank_transfer", "invoice": null, "total": 915000, "paid": 915000, "remaining": 0}');
CREATE TABLE refund (
    "key" TEXT NOT NULL,
    booking_id INTEGER NOT NULL,
    order_id TEXT,
    amount INTEGER NOT NULL,
    reason TEXT NOT NULL,
    state VARCHAR(30) NOT NULL,
    bank_account TEXT,
    asked_at DATETIME NOT NULL,
    done_at DATETIME,
    done_by TEXT,
    due_at DATETIME,
    attempts INTEGER NOT NULL,
    error TEXT, transaction_id TEXT,
    CONSTRAINT pk_refund PRIMARY KEY ("key"),
    CONSTRAINT ck_refund_amount CHECK (amount > 0),
    CONSTRAINT fk_refund_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_refund_order_id FOREIGN KEY(order_id) REFERENCES payment_request (order_id)
);
CREATE TABLE seat (
    booking_id INTEGER NOT NULL,
    starts_at DATETIME NOT NULL,
    CONSTRAINT pk_seat PRIMARY KEY (booking_id, starts_at),
    CONSTRAINT fk_seat_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_seat_starts_at FOREIGN KEY(starts_at) REFERENCES slot (starts_at)
);
INSERT INTO seat VALUES(1,'2026-11-24 03:00:00.000000');
CREATE TABLE secret (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT pk_secret PRIMARY KEY (name)
);
CREATE TABLE service (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    price INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    minutes INTEGER NOT NULL,
    description TEXT NOT NULL,
    included_items JSON NOT NULL,
    installs JSON NOT NULL,
    skill TEXT,
    onsite BOOLEAN NOT NULL,
    aliases JSON NOT NULL,
    is_available BOOLEAN NOT NULL,
    retired_at DATETIME,
    CONSTRAINT pk_service PRIMARY KEY (id),
    CONSTRAINT ck_service_minutes CHECK (minutes > 0),
    CONSTRAINT ck_service_price CHECK (price >= 0 AND discount BETWEEN 0 AND 100)
);
INSERT INTO service VALUES('pasang-speaker','Pasang speaker','installation',150000,0,60,'','[]','[]',NULL,1,'[]',1,NULL);
CREATE TABLE slot (
    starts_at DATETIME NOT NULL,
    cap INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    CONSTRAINT pk_slot PRIMARY KEY (starts_at),
    CONSTRAINT ck_slot_capacity CHECK (taken >= 0 AND taken <= cap)
);
INSERT INTO slot VALUES('2026-11-24 03:00:00.000000',3,1);
CREATE TABLE technician (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    skills JSON NOT NULL,
    phone TEXT,
    email TEXT,
    photo_url TEXT,
    days_off JSON NOT NULL,
    rating_sum INTEGER NOT NULL,
    rating_count INTEGER NOT NULL,
    total_jobs INTEGER NOT NULL,
    aliases JSON NOT NULL,
    is_available BOOLEAN NOT NULL,
    retired_at DATETIME,
    CONSTRAINT pk_technician PRIMARY KEY (id)
);
INSERT INTO technician VALUES('andi','Andi','["dsp"]',NULL,NULL,NULL,'[]',0,0,0,'[]',1,NULL);
CREATE TABLE technician_cell (
    technician_id TEXT NOT NULL,
    starts_at DATETIME NOT NULL,
    booking_id INTEGER NOT NULL,
    CONSTRAINT pk_technician_cell PRIMARY KEY (technician_id, starts_at),
    CONSTRAINT fk_technician_cell_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id),
    CONSTRAINT fk_technician_cell_technician_id FOREIGN KEY(technician_id) REFERENCES technician (id)
);
CREATE TABLE waiting (
    id INTEGER NOT NULL,
    booking_code TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    contact_id INTEGER,
    language TEXT NOT NULL,
    starts_at DATETIME NOT NULL,
    "order" JSON NOT NULL,
    state VARCHAR(30) NOT NULL,
    created_at DATETIME NOT NULL,
    offered_until DATETIME,
    CONSTRAINT pk_waiting PRIMARY KEY (id),
    CONSTRAINT fk_waiting_contact_id FOREIGN KEY(contact_id) REFERENCES contact (id),
    CONSTRAINT fk_waiting_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
    CONSTRAINT uq_waiting_booking_code UNIQUE (booking_code)
);
CREATE TABLE work_note (
    id INTEGER NOT NULL,
    booking_id INTEGER NOT NULL,
    at DATETIME NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    photos JSON NOT NULL,
    CONSTRAINT pk_work_note PRIMARY KEY (id),
    CONSTRAINT fk_work_note_booking_id FOREIGN KEY(booking_id) REFERENCES booking (id)
);
CREATE INDEX ix_customer_phone ON customer (phone);
CREATE INDEX ix_inbound_failed ON inbound (received_at) WHERE error IS NOT NULL;
CREATE INDEX ix_payment_notification_due_at ON payment_notification (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_contact_customer_id ON contact (customer_id);
CREATE INDEX ix_booking_customer ON booking (customer_id, created_at);
CREATE INDEX ix_booking_hold_until ON booking (hold_until) WHERE hold_until IS NOT NULL;
CREATE INDEX ix_booking_payment_status ON booking (payment_status, starts_at);
CREATE INDEX ix_booking_starts_at ON booking (starts_at);
CREATE INDEX ix_booking_event_booking_id ON booking_event (booking_id);
CREATE INDEX ix_booking_line_booking_id ON booking_line (booking_id);
CREATE INDEX ix_invoice_booking_id ON invoice (booking_id);
CREATE INDEX ix_ledger_entry_booking_id ON ledger_entry (booking_id);
CREATE INDEX ix_outbox_booking_id ON outbox (booking_id);
CREATE INDEX ix_outbox_due ON outbox (channel, due_at) WHERE state IN ('due', 'sending');
CREATE INDEX ix_outbox_vendor_id ON outbox (vendor_id);
CREATE INDEX ix_outbox_waiting ON outbox (channel, address, due_at, id) WHERE state IN ('due', 'sending');
CREATE INDEX ix_payment_request_booking_id ON payment_request (booking_id);
CREATE INDEX ix_payment_request_due_at ON payment_request (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_technician_cell_booking_id ON technician_cell (booking_id);
CREATE INDEX ix_additional_cost_booking_id ON additional_cost (booking_id);
CREATE INDEX ix_work_note_booking_id ON work_note (booking_id);
CREATE INDEX ix_idempotency_key_created_at ON idempotency_key (created_at);
CREATE INDEX ix_waiting_customer ON waiting (customer_id, created_at);
CREATE INDEX ix_waiting_offered_until ON waiting (offered_until) WHERE state = 'offered';
CREATE INDEX ix_waiting_slot ON waiting (starts_at, id) WHERE state = 'waiting';
CREATE INDEX ix_credit_note_booking_id ON credit_note (booking_id);
CREATE INDEX ix_payment_attempt_order_id ON payment_attempt (order_id);
CREATE INDEX ix_receipt_booking_id ON receipt (booking_id);
CREATE INDEX ix_refund_booking_id ON refund (booking_id);
CREATE INDEX ix_refund_due_at ON refund (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_refund_open ON refund (asked_at) WHERE state <> 'done';
CREATE INDEX ix_outbox_failed ON outbox (due_at) WHERE state = 'failed';
CREATE TRIGGER ledger_entry_is_never_changed BEFORE UPDATE OF id, booking_id, order_id, transaction_id, kind, reference, amount, method, at ON ledger_entry BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never changed'); END;
CREATE TRIGGER ledger_entry_is_never_deleted BEFORE DELETE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never deleted'); END;
CREATE INDEX ix_booking_without_place ON booking (status, paid_at) WHERE status = 'pending' AND paid_amount > 0 AND NOT holding;
CREATE INDEX ix_booking_status ON booking (status, starts_at, payment_status);
CREATE INDEX ix_booking_technician ON booking (technician_id, starts_at, status, payment_status);
CREATE INDEX ix_ledger_entry_at ON ledger_entry (at, amount);
CREATE INDEX ix_conversation_updated_at ON conversation (updated_at);
CREATE INDEX ix_inbound_received_at ON inbound (received_at);
CREATE INDEX ix_outbox_created_at ON outbox (created_at);
CREATE TRIGGER invoice_is_never_changed BEFORE UPDATE OF number, booking_id, issued_at ON invoice BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END;
CREATE TRIGGER invoice_is_never_rewritten BEFORE UPDATE OF facts ON invoice WHEN json_remove(NEW.facts, '$.customer_name', '$.customer_phone', '$.customer_email', '$.plate', '$.address') <> json_remove(OLD.facts, '$.customer_name', '$.customer_phone', '$.customer_email', '$.plate', '$.address') OR (json_extract(NEW.facts, '$.customer_name') IS NOT json_extract(OLD.facts, '$.customer_name') AND coalesce(json_extract(NEW.facts, '$.customer_name'), '-') <> '-') OR (json_extract(NEW.facts, '$.customer_phone') IS NOT json_extract(OLD.facts, '$.customer_phone') AND coalesce(json_extract(NEW.facts, '$.customer_phone'), '-') <> '-') OR (json_extract(NEW.facts, '$.customer_email') IS NOT json_extract(OLD.facts, '$.customer_email') AND coalesce(json_extract(NEW.facts, '$.customer_email'), '-') <> '-') OR (json_extract(NEW.facts, '$.plate') IS NOT json_extract(OLD.facts, '$.plate') AND coalesce(json_extract(NEW.facts, '$.plate'), '-') <> '-') OR (json_extract(NEW.facts, '$.address') IS NOT json_extract(OLD.facts, '$.address') AND coalesce(json_extract(NEW.facts, '$.address'), '-') <> '-') BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END;
CREATE TRIGGER invoice_is_never_deleted BEFORE DELETE ON invoice BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END;
CREATE TRIGGER credit_note_is_never_changed BEFORE UPDATE OF number, booking_id, issued_at ON credit_note BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END;
CREATE TRIGGER credit_note_is_never_rewritten BEFORE UPDATE OF facts ON credit_note WHEN json_remove(NEW.facts, '$.customer_name', '$.customer_phone', '$.customer_email', '$.plate', '$.address') <> json_remove(OLD.facts, '$.customer_name', '$.customer_phone', '$.customer_email', '$.plate', '$.address') OR (json_extract(NEW.facts, '$.customer_name') IS NOT json_extract(OLD.facts, '$.customer_name') AND coalesce(json_extract(NEW.facts, '$.customer_name'), '-') <> '-') OR (json_extract(NEW.facts, '$.customer_phone') IS NOT json_extract(OLD.facts, '$.customer_phone') AND coalesce(json_extract(NEW.facts, '$.customer_phone'), '-') <> '-') OR (json_extract(NEW.facts, '$.customer_email') IS NOT json_extract(OLD.facts, '$.customer_email') AND coalesce(json_extract(NEW.facts, '$.customer_email'), '-') <> '-') OR (json_extract(NEW.facts, '$.plate') IS NOT json_extract(OLD.facts, '$.plate') AND coalesce(json_extract(NEW.facts, '$.plate'), '-') <> '-') OR (json_extract(NEW.facts, '$.address') IS NOT json_extract(OLD.facts, '$.address') AND coalesce(json_extract(NEW.facts, '$.address'), '-') <> '-') BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END;
CREATE TRIGGER credit_note_is_never_deleted BEFORE DELETE ON credit_note BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END;
CREATE TRIGGER receipt_is_never_changed BEFORE UPDATE OF number, booking_id, entry_id, issued_at ON receipt BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END;
CREATE TRIGGER receipt_is_never_rewritten BEFORE UPDATE OF facts ON receipt WHEN json_remove(NEW.facts, '$.customer_name', '$.customer_phone', '$.customer_email', '$.plate', '$.address') <> json_remove(OLD.facts, '$.customer_name', '$.customer_phone', '$.customer_email', '$.plate', '$.address') OR (json_extract(NEW.facts, '$.customer_name') IS NOT json_extract(OLD.facts, '$.customer_name') AND coalesce(json_extract(NEW.facts, '$.customer_name'), '-') <> '-') OR (json_extract(NEW.facts, '$.customer_phone') IS NOT json_extract(OLD.facts, '$.customer_phone') AND coalesce(json_extract(NEW.facts, '$.customer_phone'), '-') <> '-') OR (json_extract(NEW.facts, '$.customer_email') IS NOT json_extract(OLD.facts, '$.customer_email') AND coalesce(json_extract(NEW.facts, '$.customer_email'), '-') <> '-') OR (json_extract(NEW.facts, '$.plate') IS NOT json_extract(OLD.facts, '$.plate') AND coalesce(json_extract(NEW.facts, '$.plate'), '-') <> '-') OR (json_extract(NEW.facts, '$.address') IS NOT json_extract(OLD.facts, '$.address') AND coalesce(json_extract(NEW.facts, '$.address'), '-') <> '-') BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END;
CREATE TRIGGER receipt_is_never_deleted BEFORE DELETE ON receipt BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END;
CREATE INDEX ix_payment_request_created_at ON payment_request (created_at);
CREATE INDEX ix_payment_attempt_first_seen_at ON payment_attempt (first_seen_at);
CREATE INDEX ix_outbox_about ON outbox (about) WHERE about IS NOT NULL;
