"""The booking flow: from "mau pasang speaker" to a payment link.

goods.py  which parts, how many, services    deciding.py  summary, corrections, payment, the booking
car.py    which car, does it fit             draft.py     what the answers add up to
when.py   day, slot, technician              waitlist.py  joining, offers
who.py    name, phone, e-mail, plate, place
"""

from conversations.booking.car import Brand, FitOf, Model, Year
from conversations.booking.deciding import Change, Confirmed, GiveUp, finish, refused
from conversations.booking.goods import Category, More, PickPart, PickService, Quantity
from conversations.booking.when import Day, Slot, WhichTechnician
from conversations.booking.who import Address, Email, Name, Phone, Plate, Where
from conversations.state import ORDER
from conversations.turn import Flow

BOOKING = Flow(
    name=ORDER,
    steps=(
        GiveUp(),
        Change(),
        Quantity(),
        Category(),
        Brand(),
        Model(),
        Year(),
        PickPart(),
        More(),
        FitOf(),
        PickService(),
        Day(),
        Slot(),
        WhichTechnician(),
        Name(),
        Phone(),
        Email(),
        Plate(),
        Where(),
        Address(),
        Confirmed(),
    ),
    finish=finish,
    refused=refused,
    cancelled="cancelled.draft",
)
