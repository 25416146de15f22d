"""An object's definition becomes an object file: the number of an object in the OMA registry, or an XML in its form.

python -m tools.skeleton 3336                                  prints the file
python -m tools.skeleton 3336 --out lib/lwm2m/objects/place.py writes it, where it is not there yet
python -m tools.skeleton mine.xml --private --out mine.py      an object of your own, beside main.py

ddf.py reads the XML, render.py writes the file.
"""
