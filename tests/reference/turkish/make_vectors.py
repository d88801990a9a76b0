"""Makes words.json and rounding.json: pip install num2words==0.5.14, then run beside this file.

words.json: numbers in words by num2words, which writes them as one word.
rounding.json: Python's decimal module, half to even on repr(value), the shortest expansion that reads back.
"""

import json
import random
from decimal import ROUND_HALF_EVEN, Decimal, getcontext

from num2words import num2words

random.seed(42)
getcontext().prec = 400


def turkish(number, digits):
    rounded = number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
    text = f"{abs(rounded):,.{digits}f}".translate(str.maketrans(",.", ".,"))
    return ("\u2212" if rounded < 0 else ""), text


numbers = [*range(0, 120), 1000, 1001, 12400, 40000, 100000, 10**6, 60 * 10**6, 10**9, 10**12, 10**15]
numbers += [int(10 ** random.uniform(2, 15)) for _ in range(150)]
numbers += [random.randint(1, 999) * 10 ** random.randint(1, 12) for _ in range(60)]
words = [{"number": str(number), "words": num2words(number, lang="tr")} for number in numbers]

values = [0.125, 0.375, 2.675, 1.005, 1.015, 0.575, 0.285, 8.345, 0.5, 1.5, 2.5, -0.5, -0.001, -0.005, 9.995, 999.995]
values += [0.0, -0.0, 5e-324, 1e-7, 0.29, 0.145, 0.0005, 0.00049, 0.99999, 12400.5, 1234567.891, -98765.4321, 1e15, 1e22]
values += [random.randint(0, 9999) / 1000 for _ in range(120)]
values += [(random.randint(0, 999) * 10 + 5) / 1000 for _ in range(60)]  # ties
values += [random.uniform(-5, 5) for _ in range(60)]
values += [random.choice([-1, 1]) * 10 ** random.uniform(-6, 9) for _ in range(60)]
rounding = []
for value in values:
    for digits in (0, 1, 2, 4):
        sign, text = turkish(Decimal(repr(value)), digits)
        percent_sign, percent = turkish(Decimal(repr(value)) * 100, digits)
        rounding.append(
            {"value": repr(value), "digits": digits, "sayi": sign + text, "yuzde": f"{percent_sign}%{percent}"}
        )

for name, vectors in (("words", words), ("rounding", rounding)):
    with open(f"{name}.json", "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors) + "\n]\n")
