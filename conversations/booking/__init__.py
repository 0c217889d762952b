"""The booking flow: from "mau pasang speaker" to a payment link.

goods.py     which parts, how many          who.py       name, phone, e-mail, plate
car.py       which car, does it fit         where.py     workshop or on-site, address
work.py      which services                 deciding.py  summary, corrections, payment, the booking
when.py      day, slot, technician          draft.py     what the answers add up to
waitlist.py  joining, offers                nearest.py   the start in a button
"""

from conversations.booking.car import Brand, FitOf, Model, Year
from conversations.booking.deciding import Change, Confirmed, Method, Plan, finish, refused
from conversations.booking.goods import Category, More, PickPart, Quantity
from conversations.booking.when import Day, Slot, WhichTechnician
from conversations.booking.where import Address, Where
from conversations.booking.who import Email, Name, Phone, Plate
from conversations.booking.work import PickService
from conversations.turn import Flow

BOOKING = Flow(
    name="booking",
    steps=(
        Change(),
        Quantity(),
        Category(),
        PickPart(),
        More(),
        Brand(),
        Model(),
        Year(),
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
        Method(),
        Plan(),
    ),
    finish=finish,
    refused=refused,
)
