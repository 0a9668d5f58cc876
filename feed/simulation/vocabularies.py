"""What each topic is about, in words: a data module, read by topics.py and text.py.

One block per topic: slug, name, family; one line per subtopic with its nouns (each fits
after "the"); a line of activities (gerunds); then nouns with their article in other languages.
"""

TOPICS = """
space | Space | nature
  planets: rings of Saturn, Martian dust, Jovian storms, lunar shadow, icy moons, Venus transit, crater rim
  stargazing: eyepiece, dark sky site, meteor shower, star chart, red torch, Milky Way arch, dew heater
  rockets: launch window, second stage, heat shield, static fire, landing legs, booster, payload fairing
  cosmology: redshift, dark matter halo, background radiation, galaxy cluster, lensing arc, expansion rate
  + collimating a telescope, waiting for clear skies, tracking a comet, reading launch telemetry
  es: el telescopio, la órbita, el cometa, la luna llena
  de: das Teleskop, die Umlaufbahn, der Komet, der Mondkrater
  fr: le télescope, l'orbite, la comète, la pleine lune
  pt: o telescópio, a órbita, o cometa, a lua cheia
  ja: 望遠鏡, 流星群, 月面
ocean | Ocean life | nature
  reefs: coral polyps, reef edge, clownfish, staghorn colony, bleaching map, sea fan, cleaner wrasse
  whales: humpback song, fluke photo, pod, breach, blow, migration route, calf
  deep sea: anglerfish, hydrothermal vent, abyssal plain, dumbo octopus, marine snow, submersible, sampling arm
  tidepools: hermit crab, anemone, limpet trail, low spring tide, sea slug, kelp holdfast, periwinkle
  + counting limpets, diving at dusk, mapping a kelp forest, listening to hydrophones
  es: el arrecife, la ballena, la marea baja, el pulpo
  de: das Riff, der Wal, die Ebbe, der Tintenfisch
  fr: le récif, la baleine, la marée basse, la pieuvre
  pt: o recife, a baleia, a maré baixa, o polvo
  ja: サンゴ礁, クジラ, 潮だまり
birds | Birds | nature
  garden birds: robin, feeder, wren, nest box, sunflower hearts, blackbird, goldfinch charm
  raptors: kestrel, osprey nest, buzzard, wing barring, peregrine ledge, owl pellet, hobby
  waders: curlew, mudflat, high tide roost, godwit, sandpiper, salt marsh, estuary hide
  migration: first swallow, radar track, ringing station, passage warbler, goose skein, stopover lake
  + keeping a year list, sitting in a hide, learning calls by ear, counting geese at dawn
  es: el halcón, el nido, la golondrina, el comedero
  de: der Falke, das Nest, die Schwalbe, das Futterhaus
  fr: le faucon, le nid, l'hirondelle, la mangeoire
  pt: o falcão, o ninho, a andorinha, o comedouro
  ja: ツバメ, 巣箱, 渡り鳥
gardening | Gardening | nature
  vegetables: tomato seedlings, leeks, polytunnel, slug damage, broad beans, squash vine, seed potatoes
  compost: leaf mould, worm bin, heap temperature, kitchen scraps, wood chips, bokashi bucket
  roses: black spot, climbing rose, pruning cut, rootstock, hips, rambler, deadheading
  houseplants: monstera, grow light, spider mites, repotting mix, trailing pothos, propagation jar
  + turning the heap, sowing too early, pruning in the rain, swapping seeds
  es: el huerto, la semilla, la rosa, el compost
  de: das Beet, der Samen, die Rose, der Kompost
  fr: le potager, la graine, la rose, le compost
  pt: a horta, a semente, a rosa, o composto
  ja: 家庭菜園, 種まき, バラ
programming | Programming | making
  python: list comprehension, type hints, virtual environment, dataclass, event loop, traceback, decorator
  databases: query plan, partial index, migration, vacuum, deadlock, foreign key, replication lag
  rust: borrow checker, lifetimes, trait bound, unsafe block, pattern match, crate, compile time
  web: cache header, service worker, form validation, layout shift, cookie, accessible menu, progressive enhancement
  tools: terminal, rebase, editor theme, shell history, flaky test, build cache, lockfile
  + reading a flame graph, deleting dead code, reviewing a migration, writing the test first
  es: el compilador, la consulta, el error, la prueba
  de: der Compiler, die Abfrage, der Fehler, der Test
  fr: le compilateur, la requête, le bogue, le test
  pt: o compilador, a consulta, o erro, o teste
  ja: コンパイラ, テスト, バグ
machine-learning | Machine learning | making
  language models: tokenizer, context window, attention head, sampling temperature, prompt, evaluation set
  vision: segmentation mask, augmentation, edge detector, depth map, label noise, convolution
  ranking: click model, cold start, two-tower retrieval, calibration plot, exploration budget, feature drift
  practice: learning rate, loss curve, random seed, train-test leak, checkpoint, batch size, baseline
  + cleaning labels by hand, plotting residuals, beating a linear baseline, waiting for a run to finish
  es: el modelo, la pérdida, los datos, la red neuronal
  de: das Modell, die Verlustkurve, die Daten, das neuronale Netz
  fr: le modèle, la perte, les données, le réseau de neurones
  pt: o modelo, a perda, os dados, a rede neural
  ja: 学習率, モデル, データ
electronics | Electronics | making
  microcontrollers: pin header, sleep current, bootloader, serial port, watchdog, development board, firmware
  radio: antenna, noise floor, repeater, software receiver, coax, balun, call sign
  audio: tube amplifier, ground hum, capacitor, speaker crossover, patch bay, synth module
  repair: soldering iron, cold joint, swollen battery, donor board, multimeter, ribbon cable, thermal paste
  + tracing a short, desoldering connectors, reading a datasheet, winding a coil
  es: el circuito, la antena, el soldador, la batería
  de: die Schaltung, die Antenne, der Lötkolben, der Akku
  fr: le circuit, l'antenne, le fer à souder, la batterie
  pt: o circuito, a antena, o ferro de solda, a bateria
  ja: 回路, アンテナ, はんだごて
woodworking | Woodworking | making
  joinery: dovetail, mortise, tenon, marking gauge, shoulder plane, dry fit, finger joint
  turning: bowl blank, lathe, gouge, green wood, chuck, burl, skew chisel
  furniture: shaker table, drawer runner, chair seat, breadboard end, workbench, leg vise
  finishing: shellac, hard wax oil, scraper, grain filler, sanding swirl, milk paint
  + sharpening a chisel, planing against the grain, gluing up a panel, sweeping shavings
  es: la madera, el cepillo, la mesa, el barniz
  de: das Holz, der Hobel, der Tisch, der Lack
  fr: le bois, le rabot, la table, le vernis
  pt: a madeira, a plaina, a mesa, o verniz
  ja: 木工, かんな, 机
design | Design and type | making
  type: ligature, x-height, italic, specimen, kerning pair, variable font, old-style figures
  layout: grid, margin, baseline, white space, column width, page turn, caption
  colour: palette, contrast ratio, overprint, muted green, swatch, colour blindness check
  print: risograph, paper stock, letterpress, screen print, misregistration, trim, zine
  + setting a page by hand, redrawing a letter, proofing on cheap paper, choosing two colours
  es: la tipografía, el cartel, el color, la página
  de: die Schrift, das Plakat, die Farbe, die Seite
  fr: la typographie, l'affiche, la couleur, la page
  pt: a tipografia, o cartaz, a cor, a página
  ja: 書体, ポスター, 余白
football | Football | sport
  tactics: high press, back three, false nine, low block, overload, inverted full-back, pressing trap
  matches: second half, equaliser, penalty shout, stoppage time, away end, clean sheet, derby
  grassroots: muddy pitch, Sunday league, corner flag, orange slices, volunteer referee, under-nines
  stats: expected goals, pass map, shot quality, heat map, league table, goal difference
  + arguing about offside, watching from behind the goal, marking at corners, coaching kids
  es: el partido, el gol, la defensa, el árbitro
  de: das Spiel, das Tor, die Abwehr, der Schiedsrichter
  fr: le match, le but, la défense, l'arbitre
  pt: o jogo, o gol, a defesa, o árbitro
  ja: 試合, ゴール, 守備
cycling | Cycling | sport
  road racing: breakaway, echelon, lead-out, summit finish, peloton, time trial, crosswind
  touring: pannier, gravel track, tent pitch, headwind, ferry crossing, dynamo light, cafe stop
  mechanics: bottom bracket, chain wear, cable tension, rear derailleur, spoke key, tubeless sealant
  commuting: bike lane, hi-vis, rain cape, secure rack, cargo bike, blind corner, school run
  + truing a wheel, climbing in the smallest gear, riding home at night, packing light
  es: la bicicleta, la subida, la cadena, el carril bici
  de: das Rad, der Anstieg, die Kette, der Radweg
  fr: le vélo, la montée, la chaîne, la piste cyclable
  pt: a bicicleta, a subida, a corrente, a ciclovia
  ja: 自転車, 坂道, チェーン
running | Running | sport
  marathon: long run, negative split, taper, energy gel, mile twenty, pacing band, finish chute
  trail: scree slope, headtorch, fell race, cut-off time, aid station, ridge path, trail shoes
  training: interval session, easy miles, tempo run, rest day, heart rate drift, hill repeats
  injury: shin splints, calf strain, foam roller, return plan, stress fracture, ankle brace
  + running before breakfast, tapering badly, chasing a personal best, joining a club night
  es: la maratón, la carrera, el entrenamiento, la lesión
  de: der Marathon, der Lauf, das Training, die Verletzung
  fr: le marathon, la course, l'entraînement, la blessure
  pt: a maratona, a corrida, o treino, a lesão
  ja: マラソン, 練習, ランニング
climbing | Climbing | sport
  bouldering: crimp, sloper, heel hook, crash pad, problem setter, dyno, finish hold
  trad: cam, belay ledge, sea cliff, rack, hex, runout slab, abseil station
  alpine: bivouac, couloir, crampon, summit ridge, crevasse, weather window, ice axe
  training: finger board, pull-up cycle, skin care, core session, campus rung, antagonist work
  + projecting a slab, taping fingers, backing off a route, reading the guidebook
  es: la escalada, la cuerda, la cumbre, la pared
  de: das Klettern, das Seil, der Gipfel, die Wand
  fr: l'escalade, la corde, le sommet, la paroi
  pt: a escalada, a corda, o cume, a parede
  ja: 登山, ロープ, 岩場
film | Film | culture
  cinematography: long take, anamorphic lens, natural light, dolly shot, colour grade, framing
  horror: jump scare, final act, haunted house, practical effect, creature suit, sound design
  animation: key frame, stop motion, background painting, storyboard, squash and stretch, voice cast
  archive: silent print, restoration, nitrate reel, lost ending, film society, double bill
  + sitting through the credits, rewatching with subtitles, arguing about endings, programming a festival
  es: la película, la escena, el guion, el cine
  de: der Film, die Szene, das Drehbuch, das Kino
  fr: le film, la scène, le scénario, le cinéma
  pt: o filme, a cena, o roteiro, o cinema
  ja: 映画, 脚本, 名場面
books | Books | culture
  novels: unreliable narrator, first chapter, translation, slow plot, family saga, minor character
  poetry: sonnet, line break, chapbook, refrain, half rhyme, reading aloud, anthology
  crime: locked room, red herring, small-town detective, alibi, cold case, twist
  libraries: due date, reading room, card index, inter-library loan, marginalia, second-hand shelf
  + finishing on the last page, lending out a favourite, rereading in winter, starting a book club
  es: la novela, el poema, el capítulo, la biblioteca
  de: der Roman, das Gedicht, das Kapitel, die Bibliothek
  fr: le roman, le poème, le chapitre, la bibliothèque
  pt: o romance, o poema, o capítulo, a biblioteca
  ja: 小説, 詩集, 図書館
music | Music | culture
  jazz: walking bass, chord change, brushes, late set, standard, trumpet mute, improvised bridge
  electronic: drum machine, filter sweep, sidechain, modular patch, sample pack, bassline
  choral: alto line, rehearsal, descant, sight reading, vowel, cathedral acoustic
  guitar: open tuning, string gauge, pedal board, fingerpicking pattern, fretboard, barre chord
  + practising scales, recording in a kitchen, singing in a choir, digging through crates
  es: la canción, el ritmo, la guitarra, el concierto
  de: das Lied, der Rhythmus, die Gitarre, das Konzert
  fr: la chanson, le rythme, la guitare, le concert
  pt: a canção, o ritmo, o violão, o concerto
  ja: 曲, ギター, 演奏会
photography | Photography | culture
  landscape: golden hour, tripod, long exposure, mist, foreground rock, graduated filter
  street: candid frame, reflections, hard shadow, 35 mm lens, crossing, umbrella
  film cameras: light meter, developer tank, grain, contact sheet, expired roll, shutter curtain
  macro: focus stack, dew drop, insect eye, ring flash, extension tube, bokeh
  + scanning negatives, waiting for the light, printing small, carrying one lens
  es: la cámara, la luz, la sombra, el retrato
  de: die Kamera, das Licht, der Schatten, das Porträt
  fr: l'appareil photo, la lumière, l'ombre, le portrait
  pt: a câmera, a luz, a sombra, o retrato
  ja: カメラ, 光と影, 夕暮れ
games | Games | culture
  chess: endgame, bishop pair, opening line, zugzwang, blunder, rook lift, time scramble
  board games: worker placement, rule book, meeple, victory points, solo mode, expansion
  video games: boss fight, save point, speedrun, pixel art, level design, patch notes, side quest
  role play: character sheet, dungeon master, saving throw, campaign, initiative order, tavern scene
  + painting miniatures, teaching rules twice, losing on time, replaying a level
  es: la partida, el tablero, el nivel, la jugada
  de: die Partie, das Brett, das Level, der Zug
  fr: la partie, le plateau, le niveau, le coup
  pt: a partida, o tabuleiro, a fase, a jogada
  ja: 将棋, ゲーム, 対局
cooking | Cooking | home
  bread: sourdough starter, oven spring, hydration, crumb, proving basket, rye flour, crust
  curries: tempering, curry leaves, toasted cumin, coconut milk, pickle, pressure cooker, dal
  baking: pastry, lemon curd, sponge, piping bag, butter temperature, meringue
  preserving: kimchi jar, brine, marmalade, fermenting crock, chutney, smoked fish
  + folding dough, tasting as you go, cooking for twelve, cleaning the oven
  es: la receta, el pan, la salsa, el horno
  de: das Rezept, das Brot, die Soße, der Ofen
  fr: la recette, le pain, la sauce, le four
  pt: a receita, o pão, o molho, o forno
  ja: レシピ, パン, 味噌汁
coffee | Coffee and tea | home
  espresso: grinder, puck prep, crema, pressure profile, portafilter, shot time
  filter: pour-over, bloom, paper filter, gooseneck kettle, brew ratio, water hardness
  roasting: first crack, green beans, roast curve, drum, chaff, light roast
  tea: oolong, gongfu set, second infusion, matcha whisk, smoked leaves, brewing temperature
  + dialling in, cupping blind, warming the pot, cleaning the grinder
  es: el café, el molinillo, el té, la taza
  de: der Kaffee, die Mühle, der Tee, die Tasse
  fr: le café, le moulin, le thé, la tasse
  pt: o café, o moinho, o chá, a xícara
  ja: コーヒー, 抹茶, 急須
pets | Pets | home
  dogs: recall training, muddy paws, lead, rescue greyhound, chew toy, park bench, vet bill
  cats: cardboard box, windowsill, scratching post, midnight zoomies, tabby, laser dot
  aquariums: shrimp tank, filter media, java moss, water change, tetra shoal, driftwood
  small animals: rabbit run, hay rack, guinea pig, tortoise table, hamster wheel, willow tunnel
  + brushing the dog, clipping claws, fostering kittens, cycling a tank
  es: el perro, el gato, el acuario, el paseo
  de: der Hund, die Katze, das Aquarium, der Spaziergang
  fr: le chien, le chat, l'aquarium, la promenade
  pt: o cachorro, o gato, o aquário, o passeio
  ja: 猫, 犬の散歩, 水槽
travel | Travel | home
  trains: night sleeper, dining car, window seat, branch line, station clock, rail pass
  hiking: hut, waymark, ridge walk, blister plaster, map sheet, packed lunch, stile
  islands: ferry timetable, harbour wall, lighthouse, volcanic beach, guesthouse, boat trip
  budget: hostel kitchen, overnight bus, street food, visa queue, carry-on, phrase book
  + missing a connection, sleeping on a ferry, drawing a route on paper, travelling off season
  es: el viaje, el tren, la isla, el sendero
  de: die Reise, der Zug, die Insel, der Wanderweg
  fr: le voyage, le train, l'île, le sentier
  pt: a viagem, o trem, a ilha, a trilha
  ja: 旅, 夜行列車, 島
cities | Cities and transport | public
  transit: bus lane, tram stop, timetable, fare zone, night service, signal failure, interchange
  housing: rent, planning notice, tower block, vacancy rate, co-operative, zoning map
  streets: crossing, parking space, school street, kerb, street tree, speed limit, low-traffic scheme
  architecture: brick facade, concrete stair, courtyard, cantilever, market hall, retrofit
  + counting cyclists, reading a planning notice, waiting for a tram, mapping benches
  es: el tranvía, la calle, la vivienda, el barrio
  de: die Straßenbahn, die Straße, die Wohnung, das Viertel
  fr: le tramway, la rue, le logement, le quartier
  pt: o bonde, a rua, a moradia, o bairro
  ja: 路面電車, 街並み, 家賃
politics | Politics | public
  local council: budget vote, public gallery, bin collection, council tax, by-election, consultation
  elections: turnout, ballot paper, polling station, swing seat, exit poll, recount, manifesto
  economy: inflation figure, interest rate, wage growth, trade deficit, energy bill, tax band
  rights: court ruling, right to protest, privacy bill, freedom of information request, union vote
  + knocking on doors, reading the minutes, counting ballots, writing to a councillor
  es: el presupuesto, la votación, la inflación, la ley
  de: der Haushalt, die Wahl, die Inflation, das Gesetz
  fr: le budget, le vote, l'inflation, la loi
  pt: o orçamento, a votação, a inflação, a lei
  ja: 選挙, 予算, 物価
history | History | public
  ancient: mosaic floor, cuneiform tablet, hill fort, burial mound, amphora, inscription
  medieval: manuscript, monastery, guild roll, siege, plague pit, illuminated capital
  industrial: canal lock, cotton mill, steam engine, strike leaflet, mine shaft, ledger
  archives: parish register, oral history, faded letter, census page, map folio, microfilm
  + transcribing letters, digging a test pit, dating a photograph, walking an old boundary
  es: el manuscrito, el castillo, el archivo, la ruina
  de: die Handschrift, die Burg, das Archiv, die Ruine
  fr: le manuscrit, le château, l'archive, la ruine
  pt: o manuscrito, o castelo, o arquivo, a ruína
  ja: 古文書, 城跡, 遺跡
"""
